// npm's solc behind the command line that Forge calls: --version, --standard-json.
// node solc.mjs FOLDER …, with node_modules in FOLDER.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const solc = createRequire(`${process.argv[2]}/`)('solc')
if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`)
} else {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
}

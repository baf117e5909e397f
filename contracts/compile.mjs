// Compiles every source of this folder and writes one artifact a contract beside the code that loads it.
// `node compile.mjs --out DIR` writes the same tree under DIR, for comparison.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const HERE = dirname(fileURLToPath(import.meta.url));
const flag = process.argv.indexOf("--out");
const OUT = flag < 0 ? dirname(HERE) : process.argv[flag + 1];

// Paris has no PUSH0 and no MCOPY: the predeploys must run on every fork of L2, the first one included.
const SETTINGS = {
  optimizer: { enabled: true, runs: 10000 },
  viaIR: true,
  evmVersion: "paris",
  metadata: { bytecodeHash: "none", appendCBOR: false },
};
const L1 = "rollup/l1/artifacts";
const L2 = "rollup/execution/artifacts";
const TARGETS = {
  "l1/OptimismPortal.sol": [L1],
  "l1/L2OutputOracle.sol": [L1],
  "l1/SystemConfig.sol": [L1],
  "l1/SuperchainConfig.sol": [L1],
  "proxy/Proxy.sol": [L1, L2],
  "proxy/ProxyAdmin.sol": [L1, L2],
  "l2/L1Block.sol": [L2],
  "l2/GasPriceOracle.sol": [L2],
  "l2/L2ToL1MessagePasser.sol": [L2],
  "l2/SequencerFeeVault.sol": [L2],
  "l2/BaseFeeVault.sol": [L2],
  "l2/L1FeeVault.sol": [L2],
  "l2/OperatorFeeVault.sol": [L2],
  "l2/WETH9.sol": [L2],
};

function sourcesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : sourcesUnder(path);
    return entry.name.endsWith(".sol") ? [relative(HERE, path).replaceAll("\\", "/")] : [];
  });
}

function compile(folder, names, settings) {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(folder, name), "utf8") }])),
    settings,
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) {
    console.error(errors.map((error) => error.formattedMessage).join("\n"));
    process.exit(1);
  }
  return output;
}

// AST ids differ with what else is compiled: a type's id and a library's are no part of a layout.
function plain(layout) {
  return layout.storage.map(({ label, offset, slot, type }) => ({
    label,
    offset,
    slot,
    type: type.replace(/\)\d+/g, ")"),
  }));
}

// The immutables of a contract in the order of their first position, which is the order of the AST ids.
function immutables(references) {
  return Object.keys(references)
    .sort((a, b) => Number(a) - Number(b))
    .map((id) => references[id].map(({ start }) => start));
}

function write(folder, file, text) {
  mkdirSync(join(OUT, folder), { recursive: true });
  writeFileSync(join(OUT, folder, file), text);
}

// The twin has settings of its own, and a form that attribution_precompile/twin.py reads.
function twin() {
  const folder = join(HERE, "attribution");
  const settings = JSON.parse(readFileSync(join(folder, "settings.json"), "utf8"));
  const output = compile(folder, sourcesUnder(folder).map((name) => name.replace(/^attribution\//, "")).sort(), settings);
  const { abi } = output.contracts["IAttribution.sol"].IAttribution;
  const { evm, storageLayout } = output.contracts["Attribution.sol"].Attribution;
  return { compiler: solc.version(), settings, abi, runtime: `0x${evm.deployedBytecode.object}`, storageLayout };
}

const OUTPUTS = [
  "abi",
  "evm.bytecode.object",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.immutableReferences",
  "storageLayout",
];
const names = sourcesUnder(HERE).filter((name) => !name.startsWith("attribution/")).sort();
const output = compile(HERE, names, { ...SETTINGS, outputSelection: { "*": { "*": OUTPUTS } } });
for (const [source, folders] of Object.entries(TARGETS)) {
  const name = source.replace(/^.*\/|\.sol$/g, "");
  const contract = output.contracts[source][name];
  const artifact = {
    contract: name,
    source: `contracts/${source}`,
    compiler: solc.version(),
    settings: SETTINGS,
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    immutableReferences: immutables(contract.evm.deployedBytecode.immutableReferences ?? {}),
    storageLayout: plain(contract.storageLayout),
  };
  for (const folder of folders) {
    write(folder, `${name}.json`, `${JSON.stringify(artifact, null, 2)}\n`);
  }
}
write("attribution_precompile", "twin.json", `${JSON.stringify(twin(), null, 1)}\n`);
console.log(`${Object.keys(TARGETS).length + 1} contracts compiled with solc ${solc.version()}`);

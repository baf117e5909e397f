// What an application does with ethers 6: deploy, events, custom errors, nonces, an EIP-7702 delegation, a WebSocket.
// node ethers_wallet.mjs SETTINGS.json, with ethers resolvable from the working directory. One JSON line a step.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { ethers } = createRequire(`${process.cwd()}/`)('ethers')
const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const say = (step, values) =>
  console.log(JSON.stringify({ step, ...values }, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
const failure = async (promise) => {
  try {
    await promise
  } catch (error) {
    return { code: error.code, reason: error.reason ?? null, name: error.revert?.name ?? null }
  }
  throw new Error('this should have failed')
}

const provider = new ethers.JsonRpcProvider(settings.l2.url, undefined, { cacheTimeout: -1 })
provider.pollingInterval = 100
const wallet = new ethers.Wallet(settings.key, provider)
const weth = '0x4200000000000000000000000000000000000006'
const abi = [
  'event Deposit(address indexed dst, uint256 wad)',
  'function deposit() payable',
  'function withdraw(uint256)',
  'function balanceOf(address) view returns (uint256)',
]

// ---- deploy: seven bytes of code that return the value they are called with
const factory = new ethers.ContractFactory([], '0x66345f5260205ff35f5260076019f3', wallet)
const contract = await factory.deploy()
await contract.waitForDeployment()
const address = await contract.getAddress()
say('deploy', {
  code: await provider.getCode(address),
  expected: ethers.getCreateAddress({ from: wallet.address, nonce: contract.deploymentTransaction().nonce }) === address,
  answer: await provider.call({ from: wallet.address, to: address, value: 5n }),
})

// ---- events by polling and over a WebSocket
const socket = new ethers.WebSocketProvider(settings.l2.url.replace('http', 'ws'))
const token = new ethers.Contract(weth, abi, wallet)
const heard = new Promise((hear) => token.once('Deposit', (to, amount) => hear([to === wallet.address, amount])))
const pushed = new Promise((hear) => socket.once({ address: weth }, (log) => hear(log.topics.length)))
await socket.getBlockNumber() // answered after eth_subscribe
const deposited = await (await token.deposit({ value: 3n })).wait()
say('events', {
  status: deposited.status,
  heard: await heard,
  pushed: await pushed,
  filtered: (await token.queryFilter(token.filters.Deposit(wallet.address), 0)).length,
  fee: deposited.fee === deposited.gasUsed * deposited.gasPrice,
})

// ---- errors
const low = { to: wallet.address, nonce: 0, gasLimit: 21_000 }
const poor = ethers.Wallet.createRandom().connect(provider)
const gap = { to: wallet.address, nonce: (await wallet.getNonce()) + 5, gasLimit: 21_000 }
await wallet.sendTransaction(gap)
say('errors', {
  panic: await failure(token.withdraw.staticCall(10n ** 30n)),
  low: await failure(wallet.sendTransaction(low)),
  poor: await failure(poor.sendTransaction({ to: wallet.address, value: 1n, gasLimit: 21_000 })),
  replaced: await failure(wallet.sendTransaction({ ...gap, gasLimit: 22_000 })),
})

// ---- several at once, up to the gap
const manager = new ethers.NonceManager(wallet)
const sent = []
for (let value = 0; value < 4; value++) sent.push(await manager.sendTransaction({ to: weth, value, gasLimit: 100_000 }))
const receipts = await Promise.all(sent.map((transaction) => transaction.wait()))
say('many', { statuses: receipts.map((receipt) => receipt.status) })

// ---- EIP-7702: gas estimated by the node, paid by the first account, the second one delegates
const other = new ethers.Wallet(settings.other, provider)
const authorization = await other.authorize({ address })
const request = { type: 4, to: other.address, authorizationList: [authorization], nonce: gap.nonce - 1 }
const delegated = await (await wallet.sendTransaction(request)).wait()
say('delegation', {
  status: delegated.status,
  code: await provider.getCode(other.address),
  expected: `0xef0100${address.slice(2).toLowerCase()}`,
})

const fees = await provider.getFeeData()
say('fees', { ordered: fees.maxFeePerGas >= fees.maxPriorityFeePerGas && fees.gasPrice > 0n })
await socket.destroy()
process.exit(0)

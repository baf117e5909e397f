// viem's test client in its mode for anvil: every action it has, one line of JSON each.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { createPublicClient, createTestClient, http, parseEther } = createRequire(`${process.cwd()}/`)('viem')

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { id, url } = settings[settings.layer]
const chain = { id, name: 'layer', nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 }, rpcUrls: { default: { http: [url] } } }
const transport = http(url, { retryCount: 0, timeout: 120_000 })
const client = createTestClient({ chain, mode: 'anvil', transport })
const reader = createPublicClient({ chain, transport })

const account = '0x' + 'ab'.repeat(20)
const other = '0x' + 'cd'.repeat(20)
const word = '0x' + '07'.repeat(32)

async function step(name, act) {
  try {
    const result = await act()
    console.log(JSON.stringify({ step: name, result: result ?? null }, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
  } catch (error) {
    console.log(JSON.stringify({ step: name, refused: error.details ?? error.shortMessage ?? String(error) }))
  }
}

const latest = () => reader.getBlock()
const number = async () => (await latest()).number

// From here on this layer makes blocks only on demand.
await step('setIntervalMining', () => client.setIntervalMining({ interval: 0 }))
await step('setAutomine', () => client.setAutomine(false))
await step('getAutomine', () => client.getAutomine())
await step('setBalance', async () => {
  await client.setBalance({ address: account, value: parseEther('3') })
  return reader.getBalance({ address: account })
})
await step('setCode', async () => {
  await client.setCode({ address: other, bytecode: '0x6001' })
  return reader.getCode({ address: other })
})
await step('setNonce', async () => {
  await client.setNonce({ address: account, nonce: 5 })
  return reader.getTransactionCount({ address: account })
})
await step('setStorageAt', async () => {
  await client.setStorageAt({ address: other, index: 1, value: word })
  return reader.getStorageAt({ address: other, slot: '0x1' })
})
await step('mine', async () => {
  const before = await number()
  await client.mine({ blocks: 2 })
  return (await number()) - before >= 2n
})
await step('snapshot', async () => {
  globalThis.snapshot = await client.snapshot()
  return typeof globalThis.snapshot
})
await step('revert', async () => {
  await client.setBalance({ address: account, value: 1n })
  await client.revert({ id: globalThis.snapshot })
  return reader.getBalance({ address: account })
})
await step('increaseTime', async () => {
  await client.increaseTime({ seconds: 60 })
  await client.mine({ blocks: 1 })
  return true
})
await step('setNextBlockTimestamp', async () => {
  const wanted = (await latest()).timestamp + 4n
  await client.setNextBlockTimestamp({ timestamp: wanted })
  await client.mine({ blocks: 1 })
  return (await latest()).timestamp - wanted
})
await step('setBlockTimestampInterval', () => client.setBlockTimestampInterval({ interval: Number(settings.interval) }))
await step('removeBlockTimestampInterval', () => client.removeBlockTimestampInterval())
await step('setBlockGasLimit', async () => {
  await client.setBlockGasLimit({ gasLimit: 40_000_000n })
  await client.mine({ blocks: 1 })
  return (await latest()).gasLimit
})
await step('setNextBlockBaseFeePerGas', async () => {
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 3_000_000_000n })
  await client.mine({ blocks: 1 })
  return (await latest()).baseFeePerGas
})
await step('setCoinbase', async () => {
  await client.setCoinbase({ address: other })
  await client.mine({ blocks: 1 })
  return (await latest()).miner
})
await step('setMinGasPrice', () => client.setMinGasPrice({ gasPrice: 1n }))
await step('setLoggingEnabled', () => client.setLoggingEnabled(true))
await step('setRpcUrl', () => client.setRpcUrl('http://127.0.0.1:1'))
await step('impersonateAccount', async () => {
  await client.impersonateAccount({ address: account })
  const hash = await client.request({ method: 'eth_sendTransaction', params: [{ from: account, to: other, value: '0x7' }] })
  await client.mine({ blocks: 1 })
  return (await reader.getTransactionReceipt({ hash })).status
})
await step('stopImpersonatingAccount', async () => {
  await client.stopImpersonatingAccount({ address: account })
  try {
    await client.request({ method: 'eth_sendTransaction', params: [{ from: account, to: other }] })
    return 'sent'
  } catch (error) {
    return 'refused'
  }
})
await step('sendUnsignedTransaction', async () => {
  const hash = await client.sendUnsignedTransaction({ from: account, to: other, value: 1n })
  await client.mine({ blocks: 1 })
  return (await reader.getTransactionReceipt({ hash })).status
})
await step('dropTransaction', async () => {
  const hash = await client.request({ method: 'eth_sendTransaction', params: [{ from: settings.sender, to: other, value: '0x1' }] })
  await client.dropTransaction({ hash })
  return reader.getTransaction({ hash }).then(() => 'kept', () => 'gone')
})
await step('getTxpoolContent', async () => Object.keys(await client.getTxpoolContent()).sort().join())
await step('getTxpoolStatus', async () => Object.keys(await client.getTxpoolStatus()).sort().join())
await step('inspectTxpool', async () => Object.keys(await client.inspectTxpool()).sort().join())
await step('dumpState', async () => {
  globalThis.state = await client.dumpState()
  globalThis.height = await number()
  return globalThis.state.startsWith('0x')
})
await step('loadState', async () => {
  await client.mine({ blocks: 1 })
  await client.loadState({ state: globalThis.state })
  return (await number()) - globalThis.height
})
await step('reset', async () => {
  await client.reset()
  return (await number()) < 10n
})

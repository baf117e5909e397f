// viem's public and wallet actions on one layer: the name of each, and what is wrong with its answer.
// node viem_actions.mjs SETTINGS.json, with viem resolvable from the working directory. One JSON line per action.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/`)
const viem = require('viem')
const { privateKeyToAccount } = require('viem/accounts')
const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { id, url } = settings[settings.layer]
const chain = viem.defineChain({
  id,
  name: settings.layer,
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [url] } },
})
const transport = viem.http(url)
const account = privateKeyToAccount(settings.key)
const to = `0x${'be'.repeat(20)}` // an account of no other script: its transfers cost 21,000 gas
const reader = viem.createPublicClient({ chain, transport, pollingInterval: 100, cacheTime: 0 })
const local = viem.createWalletClient({ account, chain, transport, pollingInterval: 100 })
const remote = viem.createWalletClient({ account: account.address, chain, transport })
// A contract of seven bytes that returns the value it is called with.
const address = await (async () => {
  const hash = await local.deployContract({ abi: [], bytecode: '0x66345f5260205ff35f5260076019f3' })
  return (await reader.waitForTransactionReceipt({ hash })).contractAddress
})()
const hash = await local.sendTransaction({ to, value: 1n })
const receipt = await reader.waitForTransactionReceipt({ hash })
const { blockHash, blockNumber } = receipt
const block = await reader.getBlock({ blockNumber })
const typed = {
  domain: { name: 'test', chainId: id },
  types: { Note: [{ name: 'text', type: 'string' }] },
  primaryType: 'Note',
  message: { text: 'hello' },
}
const mined = async (given) => (await reader.waitForTransactionReceipt({ hash: await given })).status === 'success'
const heard = (watch) =>
  new Promise((resolve, reject) => {
    const stop = watch((value) => (stop(), resolve(value)), (error) => (stop(), reject(error)))
  })

const actions = {
  call: async () => BigInt((await reader.call({ account: account.address, to: address, value: 5n })).data) === 5n,
  createAccessList: async () => (await reader.createAccessList({ to: address })).gasUsed > 21_000n,
  createBlockFilter: async () => (await reader.createBlockFilter()).type === 'block',
  createEventFilter: async () => (await reader.createEventFilter()).type === 'event',
  createPendingTransactionFilter: async () => (await reader.createPendingTransactionFilter()).type === 'transaction',
  estimateFeesPerGas: async () => (await reader.estimateFeesPerGas()).maxFeePerGas > 0n,
  estimateGas: async () => (await reader.estimateGas({ account, to, value: 1n })) === 21_000n,
  estimateMaxPriorityFeePerGas: async () => (await reader.estimateMaxPriorityFeePerGas()) > 0n,
  fillTransaction: async () => (await reader.fillTransaction({ account: account.address, to, value: 1n })).transaction.gas > 0n,
  getBalance: async () => (await reader.getBalance({ address: to, blockNumber })) > 0n,
  getBlobBaseFee: async () => (await reader.getBlobBaseFee()) > 0n,
  getBlock: async () => block.hash === blockHash,
  'getBlock by hash, full': async () =>
    (await reader.getBlock({ blockHash, includeTransactions: true })).transactions.at(-1).hash === hash,
  'getBlock by tag': async () => (await reader.getBlock({ blockTag: 'finalized' })).number >= 0n,
  getBlockNumber: async () => (await reader.getBlockNumber()) >= blockNumber,
  getBlockTransactionCount: async () =>
    (await reader.getBlockTransactionCount({ blockNumber })) === block.transactions.length,
  getChainId: async () => (await reader.getChainId()) === id,
  getCode: async () => (await reader.getCode({ address })) === '0x345f5260205ff3',
  getFeeHistory: async () =>
    (await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })).baseFeePerGas.length === 3,
  getFilterChanges: async () => {
    const filter = await reader.createBlockFilter()
    await mined(local.sendTransaction({ to, value: 1n }))
    return (await reader.getFilterChanges({ filter })).length > 0
  },
  getFilterLogs: async () =>
    Array.isArray(await reader.getFilterLogs({ filter: await reader.createEventFilter({ fromBlock: 0n }) })),
  getGasPrice: async () => (await reader.getGasPrice()) > 0n,
  getLogs: async () => (await reader.getLogs({ address, fromBlock: 0n })).length === 0,
  getProof: async () => (await reader.getProof({ address, storageKeys: [] })).codeHash === viem.keccak256('0x345f5260205ff3'),
  getStorageAt: async () => BigInt(await reader.getStorageAt({ address, slot: '0x0' })) === 0n,
  getTransaction: async () => (await reader.getTransaction({ hash })).value === 1n,
  getTransactionConfirmations: async () => (await reader.getTransactionConfirmations({ hash })) > 0n,
  getTransactionCount: async () => (await reader.getTransactionCount({ address: account.address })) >= 2,
  getTransactionReceipt: async () => (await reader.getTransactionReceipt({ hash })).blockHash === blockHash,
  simulateBlocks: async () =>
    (await reader.simulateBlocks({ blocks: [{ calls: [{ account: account.address, to, value: 1n }] }] }))[0].calls[0]
      .status === 'success',
  simulateCalls: async () =>
    (await reader.simulateCalls({ account: account.address, calls: [{ to, value: 1n }] })).results[0].status === 'success',
  uninstallFilter: async () => reader.uninstallFilter({ filter: await reader.createBlockFilter() }),
  verifyMessage: async () =>
    reader.verifyMessage({
      address: account.address,
      message: 'hello',
      signature: await account.signMessage({ message: 'hello' }),
    }),
  verifyTypedData: async () =>
    reader.verifyTypedData({ ...typed, address: account.address, signature: await account.signTypedData(typed) }),
  watchBlockNumber: async () => (await heard((onBlockNumber, onError) => reader.watchBlockNumber({ onBlockNumber, onError }))) > 0n,
  watchBlocks: async () => (await heard((onBlock, onError) => reader.watchBlocks({ onBlock, onError }))).number > 0n,
  // ---- wallet
  deployContract: async () => mined(local.deployContract({ abi: [], bytecode: '0x66345f5260205ff35f5260076019f3' })),
  getAddresses: async () => (await remote.getAddresses()).includes(account.address),
  prepareTransactionRequest: async () => (await local.prepareTransactionRequest({ to, value: 1n })).gas === 21_000n,
  requestAddresses: async () => (await remote.requestAddresses()).includes(account.address),
  sendRawTransaction: async () => {
    const request = await local.prepareTransactionRequest({ to, value: 2n })
    return mined(local.sendRawTransaction({ serializedTransaction: await local.signTransaction(request) }))
  },
  sendTransaction: async () => mined(local.sendTransaction({ to, value: 1n })),
  'sendTransaction by the node': async () => mined(remote.sendTransaction({ to, value: 1n })),
  sendTransactionSync: async () => (await local.sendTransactionSync({ to, value: 1n })).status === 'success',
  'signMessage by the node': async () =>
    (await remote.signMessage({ message: 'hello' })) === (await account.signMessage({ message: 'hello' })),
  'signTypedData by the node': async () =>
    (await remote.signTypedData(typed)) === (await account.signTypedData(typed)),
  'a delegation (EIP-7702)': async () => {
    const authorization = await local.signAuthorization({ contractAddress: address, executor: 'self' })
    if (!(await mined(local.sendTransaction({ to: account.address, authorizationList: [authorization] })))) return false
    return (await reader.getDelegation({ address: account.address })).toLowerCase() === address.toLowerCase()
  },
}

for (const [step, action] of Object.entries(actions)) {
  let fault = null
  try {
    if ((await action()) !== true) fault = 'another answer'
  } catch (error) {
    fault = String(error.shortMessage ?? error.message)
  }
  console.log(JSON.stringify({ step, fault }))
}
process.exit(0)

// The whole bridge with ethers 6: a deposit from L1 to L2, and a withdrawal back in three steps.
// Start a chain with `openrollup run`, then, where ethers is installed: node ethers.mjs
// Other nodes, contracts and keys: the environment variables L1_URL, L2_URL, PORTAL, ORACLE, PRIVATE_KEY.
import { createRequire } from 'node:module'

const { ethers } = createRequire(`${process.cwd()}/`)('ethers')
const from = (name, otherwise) => process.env[name] ?? otherwise
const connect = (url) => {
  const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1 })
  provider.pollingInterval = 200
  return provider
}
const l1 = connect(from('L1_URL', 'http://127.0.0.1:8545'))
const l2 = connect(from('L2_URL', 'http://127.0.0.1:9545'))
// The fourth public development account.
const key = from('PRIVATE_KEY', '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6')
const onL1 = new ethers.Wallet(key, l1)
const onL2 = new ethers.Wallet(key, l2)

const withdrawalTuple = 'tuple(uint256 nonce,address sender,address target,uint256 value,uint256 gasLimit,bytes data)'
const outputProof = 'tuple(bytes32 version,bytes32 stateRoot,bytes32 messagePasserStorageRoot,bytes32 latestBlockhash)'
const portal = new ethers.Contract(
  from('PORTAL', '0x9000000000000000000000000000000000000001'),
  [
    'event TransactionDeposited(address indexed from,address indexed to,uint256 indexed version,bytes opaqueData)',
    'function depositTransaction(address,uint256,uint64,bool,bytes) payable',
    `function proveWithdrawalTransaction(${withdrawalTuple},uint256,${outputProof},bytes[])`,
    `function finalizeWithdrawalTransaction(${withdrawalTuple})`,
    'function provenWithdrawals(bytes32) view returns (bytes32 outputRoot,uint128 timestamp,uint128 index)',
  ],
  onL1,
)
const oracle = new ethers.Contract(
  from('ORACLE', '0x9000000000000000000000000000000000000003'),
  [
    'function latestBlockNumber() view returns (uint256)',
    'function getL2OutputIndexAfter(uint256) view returns (uint256)',
    'function getL2Output(uint256) view returns (tuple(bytes32 root,uint128 timestamp,uint128 l2BlockNumber))',
    'function FINALIZATION_PERIOD_SECONDS() view returns (uint256)',
  ],
  l1,
)
const passer = new ethers.Contract(
  '0x4200000000000000000000000000000000000016',
  [
    'event MessagePassed(uint256 indexed nonce,address indexed sender,address indexed target,uint256 value,uint256 gasLimit,bytes data,bytes32 withdrawalHash)',
    'function initiateWithdrawal(address,uint256,bytes) payable',
  ],
  onL2,
)

const sent = async (call) => (await call).wait()
const until = async (what, find) => {
  console.log(`waiting for ${what}`)
  for (;;) {
    const found = await find()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

// The L2 transaction that a deposit's log announces (specs protocol/deposits.md).
const depositHash = (log) => {
  const { args } = portal.interface.parseLog(log)
  const word = (value) => ethers.zeroPadValue(ethers.toBeHex(value), 32)
  const source = ethers.keccak256(
    ethers.concat([ethers.ZeroHash, ethers.keccak256(ethers.concat([log.blockHash, word(log.index)]))]),
  )
  const opaque = args.opaqueData
  const number = (start, end) => ethers.toBeArray(BigInt(ethers.dataSlice(opaque, start, end)))
  const creates = ethers.dataSlice(opaque, 72, 73) === '0x01'
  const fields = [source, args.from, creates ? '0x' : args.to, number(0, 32), number(32, 64), number(64, 72), '0x', ethers.dataSlice(opaque, 73)]
  return ethers.keccak256(ethers.concat(['0x7e', ethers.encodeRlp(fields.map((item) => ethers.hexlify(item)))]))
}

const deposit = async (receiver, amount) => {
  const receipt = await sent(portal.depositTransaction(receiver, amount, 100_000n, false, '0x', { value: amount }))
  const hash = depositHash(receipt.logs.find((log) => log.address === portal.target))
  const arrived = await until(`the deposit on L2, ${hash}`, () => l2.getTransactionReceipt(hash))
  if (arrived.status !== 1) throw new Error('the deposit failed on L2')
}

const withdraw = async (receiver, amount) => {
  const started = await sent(passer.initiateWithdrawal(receiver, 100_000n, '0x', { value: amount }))
  const { args } = passer.interface.parseLog(started.logs.find((log) => log.address === passer.target))
  const { nonce, sender, target, value, gasLimit, data, withdrawalHash } = args
  const withdrawal = { nonce, sender, target, value, gasLimit, data }
  console.log(`started in L2 block ${started.blockNumber}, withdrawal ${withdrawalHash}`)

  await until('an output root of that block', async () => (await oracle.latestBlockNumber()) >= started.blockNumber)
  const index = await oracle.getL2OutputIndexAfter(started.blockNumber)
  const { l2BlockNumber } = await oracle.getL2Output(index)
  const block = ethers.toQuantity(l2BlockNumber)
  const slot = ethers.keccak256(ethers.concat([withdrawalHash, ethers.ZeroHash]))
  const proof = await l2.send('eth_getProof', [passer.target, [slot], block])
  const { stateRoot, hash } = await l2.send('eth_getBlockByNumber', [block, false])
  const parts = [ethers.ZeroHash, stateRoot, proof.storageHash, hash]
  const proven = await sent(portal.proveWithdrawalTransaction(withdrawal, index, parts, proof.storageProof[0].proof))
  console.log(`proven in L1 block ${proven.blockNumber}`)

  const period = await oracle.FINALIZATION_PERIOD_SECONDS()
  const { timestamp } = await portal.provenWithdrawals(withdrawalHash)
  await until(`the finalization period of ${period} s`, async () => (await l1.getBlock('latest')).timestamp > timestamp + period)
  const finalized = await sent(portal.finalizeWithdrawalTransaction(withdrawal))
  console.log(`finalized in L1 block ${finalized.blockNumber}`)
}

const receiver = ethers.Wallet.createRandom().address
await deposit(receiver, 7n)
if ((await l2.getBalance(receiver)) !== 7n) throw new Error('the deposit did not arrive')
console.log('deposited 7 wei')
await withdraw(receiver, 5n)
if ((await l1.getBalance(receiver)) !== 5n) throw new Error('the withdrawal was not paid')
console.log('withdrew 5 wei')
process.exit(0)

// The whole bridge with viem's op-stack actions: a deposit from L1 to L2, and a withdrawal back in three steps.
// Start a chain with `openrollup run`, then, where viem is installed: node viem.mjs
// Other nodes, contracts and keys: the environment variables L1_URL, L2_URL, PORTAL, ORACLE, PRIVATE_KEY.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.cwd()}/`)
const load = (name) => import(pathToFileURL(require.resolve(name)))
const viem = await load('viem')
const { generatePrivateKey, privateKeyToAccount } = await load('viem/accounts')
const op = await load('viem/op-stack')
const from = (name, otherwise) => process.env[name] ?? otherwise

const nativeCurrency = { name: 'OPEN', symbol: 'OPEN', decimals: 18 }
const l1 = viem.defineChain({
  id: 900,
  name: 'L1',
  nativeCurrency,
  rpcUrls: { default: { http: [from('L1_URL', 'http://127.0.0.1:8545')] } },
  contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
})
const l2 = viem.defineChain({
  ...op.chainConfig,
  id: 901,
  name: 'L2',
  nativeCurrency,
  sourceId: l1.id,
  rpcUrls: { default: { http: [from('L2_URL', 'http://127.0.0.1:9545')] } },
  contracts: {
    ...op.chainConfig.contracts,
    portal: { [l1.id]: { address: from('PORTAL', '0x9000000000000000000000000000000000000001') } },
    l2OutputOracle: { [l1.id]: { address: from('ORACLE', '0x9000000000000000000000000000000000000003') } },
  },
})
// The fifth public development account.
const key = from('PRIVATE_KEY', '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a')
const account = privateKeyToAccount(key)
const often = { transport: viem.http(), pollingInterval: 200, cacheTime: 0 }
const onL1 = viem.createPublicClient({ chain: l1, ...often }).extend(op.publicActionsL1())
const onL2 = viem.createPublicClient({ chain: l2, ...often }).extend(op.publicActionsL2())
const walletL1 = viem.createWalletClient({ account, chain: l1, ...often }).extend(op.walletActionsL1())
const walletL2 = viem.createWalletClient({ account, chain: l2, ...often }).extend(op.walletActionsL2())
const mined = async (client, hash) => {
  const receipt = await client.waitForTransactionReceipt({ hash })
  if (receipt.status !== 'success') throw new Error(`${hash} failed`)
  return receipt
}

// ---- deposit
const receiver = privateKeyToAccount(generatePrivateKey()).address
const request = await onL2.buildDepositTransaction({ account, mint: 7n, to: receiver })
const deposited = await mined(onL1, await walletL1.depositTransaction(request))
const [l2Hash] = op.getL2TransactionHashes(deposited)
console.log(`waiting for the deposit on L2, ${l2Hash}`)
await mined(onL2, l2Hash)
if ((await onL2.getBalance({ address: receiver })) !== 7n) throw new Error('the deposit did not arrive')
console.log('deposited 7 wei')

// ---- withdrawal
const started = await onL1.buildInitiateWithdrawal({ account, to: receiver, value: 5n, gas: 21_000n })
const receipt = await mined(onL2, await walletL2.initiateWithdrawal(started))
console.log(`started in L2 block ${receipt.blockNumber}; waiting for an output root of that block`)
const { output, withdrawal } = await onL1.waitToProve({ receipt, targetChain: l2 })
const proof = await onL2.buildProveWithdrawal({ account, output, withdrawal })
const proven = await mined(onL1, await walletL1.proveWithdrawal(proof))
const { withdrawalHash } = withdrawal
const { period } = await onL1.getTimeToFinalize({ targetChain: l2, withdrawalHash })
console.log(`proven; waiting for the finalization period of ${period} s`)
await onL1.waitToFinalize({ targetChain: l2, withdrawalHash })
// viem waits by this machine's clock. What counts is L1's, which a busy machine may leave behind.
const due = (await onL1.getBlock({ blockNumber: proven.blockNumber })).timestamp + BigInt(period)
while ((await onL1.getBlock()).timestamp <= due) await new Promise((resolve) => setTimeout(resolve, 200))
await mined(onL1, await walletL1.finalizeWithdrawal({ targetChain: l2, withdrawal }))
if ((await onL1.getBalance({ address: receiver })) !== 5n) throw new Error('the withdrawal was not paid')
console.log('withdrew 5 wei')

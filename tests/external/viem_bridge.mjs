// A stranger's bridge, with viem's op-stack actions and nothing of ours but the addresses: deposit, fees, withdrawal.
// node viem_bridge.mjs SETTINGS.json, with viem resolvable from the working directory. One JSON line a step.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.cwd()}/`)
const load = (name) => import(pathToFileURL(require.resolve(name)))
const viem = await load('viem')
const { privateKeyToAccount } = await load('viem/accounts')
const op = await load('viem/op-stack')

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const say = (step, values) =>
  console.log(JSON.stringify({ step, ...values }, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))

const currency = { name: 'OPEN', symbol: 'OPEN', decimals: 18 }
const l1 = viem.defineChain({
  id: settings.l1.id,
  name: 'L1',
  nativeCurrency: currency,
  rpcUrls: { default: { http: [settings.l1.url] } },
  contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
})
const l2 = viem.defineChain({
  ...op.chainConfig,
  id: settings.l2.id,
  name: 'L2',
  nativeCurrency: currency,
  sourceId: l1.id,
  rpcUrls: { default: { http: [settings.l2.url] } },
  contracts: {
    ...op.chainConfig.contracts,
    portal: { [l1.id]: { address: settings.portal } },
    l2OutputOracle: { [l1.id]: { address: settings.oracle } },
  },
})
const account = privateKeyToAccount(settings.key)
const often = { pollingInterval: 100, cacheTime: 0 }
const onL1 = viem.createPublicClient({ chain: l1, transport: viem.http(), ...often }).extend(op.publicActionsL1())
const onL2 = viem.createPublicClient({ chain: l2, transport: viem.http(), ...often }).extend(op.publicActionsL2())
const walletL1 = viem.createWalletClient({ account, chain: l1, transport: viem.http(), ...often }).extend(op.walletActionsL1())
const walletL2 = viem.createWalletClient({ account, chain: l2, transport: viem.http(), ...often }).extend(op.walletActionsL2())

// ---- deposit
const receiver = '0x00000000000000000000000000000000000d0517'
const deposit = await onL2.buildDepositTransaction({ account, mint: 7n, to: receiver })
const gas = await onL1.estimateDepositTransactionGas(deposit)
const depositHash = await walletL1.depositTransaction({ ...deposit })
const depositReceipt = await onL1.waitForTransactionReceipt({ hash: depositHash })
const [l2Hash] = op.getL2TransactionHashes(depositReceipt)
const arrived = await onL2.waitForTransactionReceipt({ hash: l2Hash })
const depositTransaction = await onL2.getTransaction({ hash: l2Hash })
say('deposit', {
  gas,
  l1: depositReceipt.status,
  l2: arrived.status,
  type: arrived.type,
  transactionType: depositTransaction.type,
  mint: depositTransaction.mint,
  sourceHash: depositTransaction.sourceHash,
  balance: await onL2.getBalance({ address: receiver }),
})

// ---- fees
const transfer = { account, to: receiver, value: 1n }
say('fees', {
  l1Fee: await onL2.estimateL1Fee(transfer),
  l1Gas: await onL2.estimateL1Gas(transfer),
  l1BaseFee: await onL2.getL1BaseFee(),
  operatorFee: await onL2.estimateOperatorFee(transfer),
  total: await onL2.estimateTotalFee(transfer),
  contract: await onL2.estimateContractTotalFee({
    account,
    address: '0x4200000000000000000000000000000000000006',
    abi: viem.parseAbi(['function deposit() payable']),
    functionName: 'deposit',
    value: 1n,
  }),
})
const paid = await onL2.waitForTransactionReceipt({ hash: await walletL2.sendTransaction(transfer) })
say('transfer', { status: paid.status, l1Fee: paid.l1Fee, l1GasUsed: paid.l1GasUsed, l1GasPrice: paid.l1GasPrice })

if (!settings.withdraw) process.exit(0)

// ---- withdrawal: the steps of viem's guide, with nothing between them and no retry
const request = await onL1.buildInitiateWithdrawal({ account, to: receiver, value: 5n, gas: 21_000n })
const withdrawalHash = await walletL2.initiateWithdrawal(request)
const initiated = await onL2.waitForTransactionReceipt({ hash: withdrawalHash })
const status = () => onL1.getWithdrawalStatus({ receipt: initiated, targetChain: l2 })
const { interval } = await onL1.getTimeToProve({ receipt: initiated, targetChain: l2 })
say('initiated', { status: initiated.status, withdrawal: await status(), interval })
const { output, withdrawal } = await onL1.waitToProve({ receipt: initiated, targetChain: l2 })
say('provable', { withdrawal: await status(), output: output.outputRoot })
const proof = await onL2.buildProveWithdrawal({ account, output, withdrawal })
const proveHash = await walletL1.proveWithdrawal({ ...proof })
const proven = await onL1.waitForTransactionReceipt({ hash: proveHash })
say('proven', { status: proven.status, withdrawal: await status() })
const before = await onL1.getBalance({ address: receiver })
await onL1.waitToFinalize({ targetChain: l2, withdrawalHash: withdrawal.withdrawalHash })
const finalizeHash = await walletL1.finalizeWithdrawal({ targetChain: l2, withdrawal })
const finalized = await onL1.waitForTransactionReceipt({ hash: finalizeHash })
say('finalized', {
  status: finalized.status,
  withdrawal: await status(),
  received: (await onL1.getBalance({ address: receiver })) - before,
})

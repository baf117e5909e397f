/** One transaction: what it did, who was paid, what it cost, its logs and its calls. */
import {html} from '../html.js';
import {call, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {feeParts, rollupConfig, safetyOf} from '../chain.js';
import {readCall, readLog} from '../contract.js';
import {grouped, num, percent, utc} from '../format.js';
import {ATTRIBUTION} from '../names.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Address, Amount, BlockLink, Hash, Safety, Wei} from '../parts/values.js';
import {Bar} from '../parts/bar.js';
import {Arguments} from '../parts/arguments.js';
import {Credits} from '../parts/credits.js';
import {CallTrace} from '../parts/call_trace.js';
import {StateChanges} from '../parts/state_changes.js';

async function load(layer, hash) {
  const [transaction, receipt] = await Promise.all([
    call(layer, 'eth_getTransactionByHash', [hash]),
    call(layer, 'eth_getTransactionReceipt', [hash]),
  ]);
  if (!transaction) return null;
  if (!receipt) return {transaction};
  const [block, config, logs, action, inference] = await Promise.all([
    call(layer, 'eth_getBlockByNumber', [receipt.blockNumber, false]),
    rollupConfig(),
    Promise.all(receipt.logs.map(async (log) => ({log, read: await readLog(log)}))),
    readCall(transaction.to, transaction.input),
    layer === 'l2' ? inferenceOf(hash, receipt) : null,
  ]);
  return {transaction, receipt, block, config, logs, action, inference};
}

async function inferenceOf(hash, receipt) {
  const isOurs = receipt.logs.some((log) => log.address.toLowerCase() === ATTRIBUTION);
  if (!isOurs || !(await supports('l2', 'open_getInference'))) return null;
  return call('l2', 'open_getInference', [hash]).catch(() => null);
}

function Fee({parts, outlay}) {
  const rows = [
    {name: 'Execution', wei: parts.execution},
    {name: 'L1 data', wei: parts.l1},
    {name: 'Operator', wei: parts.operator},
  ];
  const columns = [
    {title: 'Part', cell: (row) => row.name},
    {title: 'OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.wei} unit=${false} />`},
    {title: 'Share', right: true, cell: (row) => percent(row.wei, parts.total)},
  ];
  return html`<${Section} title="Gas, by part" note=${outlay && html`${percent(parts.total, parts.total + outlay)} of the total cost of <${Amount} wei=${parts.total + outlay} />`}>
    <${Bar} label="Gas by part" parts=${rows.map((row) => ({label: row.name, value: row.wei}))} />
    <${Table} caption="Gas by part" columns=${columns} rows=${[...rows, {name: 'Total', wei: parts.total}]} rowClass=${(row) => (row.name === 'Total' ? 'is-sum' : '')} />
  <//>`;
}

function Logs({logs, layer}) {
  if (!logs.length) return html`<${Empty}>This transaction wrote no logs.<//>`;
  return html`<ol class="logs">${logs.map(
    ({log, read}) => html`<li><div class="log-head"><strong>${read?.name ?? 'Log'}</strong> <span class="quiet">of</span> <${Address} value=${log.address} layer=${layer} roles=${false} /></div>
      ${read ? html`<${Arguments} values=${read.values} />` : html`<${Facts} rows=${[...log.topics.map((topic, index) => [`topic ${index}`, html`<span class="mono">${topic}</span>`]), ['data', html`<span class="mono break">${log.data}</span>`]]} />`}</li>`,
  )}</ol>`;
}

/** What happened in one sentence, where it is known. */
function Sentence({found}) {
  const {transaction, action, inference, receipt} = found;
  if (num(receipt.status) === 0) return html`<p class="failure">This transaction failed. Its gas was paid for all the same.</p>`;
  if (inference) {
    return html`<p class="lead">An inference of <a href=${`#/usage/${num(inference.modelId)}`}>model ${num(inference.modelId)}</a>:
      ${' '}${grouped(inference.inputTokens)} tokens in, ${grouped(inference.outputTokens)} out, paid by <${Address} value=${inference.payer} roles=${false} />
      ${' '}with <${Amount} wei=${inference.fee} />.</p>`;
  }
  if (action) return html`<p class="lead">A call of <strong>${action.name}</strong>.</p>`;
  if (transaction.input === '0x' && transaction.to) {
    return html`<p class="lead"><${Amount} wei=${transaction.value} /> from <${Address} value=${transaction.from} roles=${false} /> to <${Address} value=${transaction.to} roles=${false} />.</p>`;
  }
  return null;
}

function Found({layer, hash, found}) {
  const {transaction, receipt, block, config, logs, action, inference} = found;
  if (!receipt) {
    return html`<${Page} title="Transaction" above=${html`<a href="#/">Explorer</a>`}>
      <p class="lead">This transaction is in the pool and not yet in a block.</p>
      <${Facts} rows=${[['Hash', html`<${Hash} value=${hash} whole copy />`], ['From', html`<${Address} value=${transaction.from} layer=${layer} whole />`], ['To', html`<${Address} value=${transaction.to} layer=${layer} whole />`]]} />
    <//>`;
  }
  const number = num(receipt.blockNumber);
  const parts = feeParts(receipt, block, config);
  const isDeposit = num(transaction.type) === 0x7e;
  const rows = [
    ['Hash', html`<${Hash} value=${hash} whole copy />`],
    ['Block', html`<${BlockLink} layer=${layer} number=${number} /> <${Safety} value=${inference?.safety ?? safetyOf(heads.value, layer, number)} /> <span class="quiet">${utc(num(block.timestamp))}</span>`],
    ['Batch', inference?.batch && html`<${Hash} value=${inference.batch.transactionHash} href=${`#/l1/tx/${inference.batch.transactionHash}`} /> <span class="quiet">in</span> <span>L1 <${BlockLink} layer="l1" number=${num(inference.batch.l1Block.number)} /></span>`],
    ['From', html`<${Address} value=${transaction.from} layer=${layer} whole copy />`],
    ['To', transaction.to ? html`<${Address} value=${transaction.to} layer=${layer} whole copy />` : html`new contract <${Address} value=${receipt.contractAddress} layer=${layer} whole />`],
    ['Value', html`<${Amount} wei=${transaction.value} /> <span class="quiet"><${Wei} wei=${transaction.value} /></span>`],
    ['Gas used', `${grouped(receipt.gasUsed)} of ${grouped(transaction.gas)}`],
    ['Nonce', grouped(transaction.nonce)],
    ['Blobs', transaction.blobVersionedHashes?.length],
  ];
  return html`<${Page} title="Transaction" above=${html`<a href="#/">Explorer</a> / <a href=${`#/${layer}/block/${number}`}>${layer.toUpperCase()} #${grouped(number)}</a>`}>
    <${Sentence} found=${found} />
    <${Facts} rows=${rows} />
    ${inference && html`<${Section} title="Who was paid" note="The transaction itself divides the fee, to the wei."><${Credits} inference=${inference} /><//>`}
    ${!isDeposit && parts.total > 0n && html`<${Fee} parts=${parts} outlay=${inference ? BigInt(inference.fee) : null} />`}
    ${action && html`<${Section} title=${`Call: ${action.name}`}><${Arguments} values=${action.values} /><//>`}
    <${Section} title=${`Logs (${logs.length})`}><${Logs} logs=${logs} layer=${layer} /><//>
    <${CallTrace} layer=${layer} hash=${hash} />
    <${StateChanges} layer=${layer} hash=${hash} />
    ${transaction.input !== '0x' && html`<details class="raw"><summary>Input, ${grouped((transaction.input.length - 2) / 2)} bytes</summary><pre tabindex="0" class="break">${transaction.input}</pre></details>`}
  <//>`;
}

export function Transaction({layer, hash}) {
  const data = useData(() => load(layer, hash), [layer, hash]);
  if (data.value === null) {
    return html`<${Page} title="Not known"><${Empty}>${layer.toUpperCase()} has no transaction with this hash. If a reorganisation removed it, it is back in the pool or lost. <a href="#/">To the explorer</a><//><//>`;
  }
  if (!data.value) return html`<${Page} title="Transaction"><${Loaded} data=${data} lines=${8}>${() => null}<//><//>`;
  return html`<${Found} layer=${layer} hash=${hash} found=${data.value} />`;
}

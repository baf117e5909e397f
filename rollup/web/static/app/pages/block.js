/** One block of either layer, by number or by hash: a block that was replaced is still shown, and says so. */
import {html} from '../html.js';
import {call, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {safetyOf} from '../chain.js';
import {grouped, hex, num, utc} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Address, Age, Amount, BlockLink, Hash, Safety} from '../parts/values.js';

async function load(layer, id) {
  const method = id.startsWith('0x') && id.length === 66 ? 'eth_getBlockByHash' : 'eth_getBlockByNumber';
  const block = await call(layer, method, [method === 'eth_getBlockByHash' ? id : hex(id), true]);
  if (!block) return null;
  const canonical = await call(layer, 'eth_getBlockByNumber', [block.number, false]);
  const isCanonical = canonical?.hash === block.hash;
  const receipts = isCanonical ? await call(layer, 'eth_getBlockReceipts', [block.number]) : null;
  const origin = layer === 'l2' && isCanonical ? await originOf(block) : null;
  return {block, isCanonical, receipts, origin};
}

async function originOf(block) {
  if (!(await supports('l2', 'openrollup_blockOrigin'))) return null;
  return call('l2', 'openrollup_blockOrigin', [block.number]).catch(() => null);
}

function Transactions({layer, block, receipts}) {
  if (!block.transactions.length) return html`<${Empty}>No transactions.<//>`;
  const rows = block.transactions.map((transaction, index) => ({transaction, receipt: receipts?.[index]}));
  const columns = [
    {title: 'Transaction', cell: ({transaction}) => html`<${Hash} value=${transaction.hash} href=${`#/${layer}/tx/${transaction.hash}`} />`},
    {title: 'From', cell: ({transaction}) => html`<${Address} value=${transaction.from} layer=${layer} roles=${false} />`},
    {title: 'To', cell: ({transaction}) => (transaction.to ? html`<${Address} value=${transaction.to} layer=${layer} roles=${false} />` : 'new contract')},
    {title: 'Value, OPEN', right: true, cell: ({transaction}) => html`<${Amount} wei=${transaction.value} unit=${false} />`},
    {title: 'Gas', right: true, hide: true, cell: ({receipt}) => (receipt ? grouped(receipt.gasUsed) : '–')},
    {title: '', cell: ({transaction, receipt}) => html`${num(transaction.type) === 0x7e && html`<span class="chip">deposit</span>`}${receipt && num(receipt.status) === 0 && html`<span class="chip is-bad">failed</span>`}`},
  ];
  return html`<${Table} caption="Transactions of the block" columns=${columns} rows=${rows} keyOf=${(row) => row.transaction.hash} />`;
}

function Origin({origin}) {
  if (!origin) return null;
  const {transactions} = origin;
  return [
    ['Channel', origin.channelId && html`<a class="mono" href=${`#/batch/${origin.channelId}`}>${origin.channelId.slice(0, 14)}…</a>`],
    ['On L1 in', transactions.length > 0 && transactions.map((item) => html`<${Hash} value=${item.hash} href=${`#/l1/tx/${item.hash}`} /> `)],
  ];
}

function Found({layer, found: {block, isCanonical, receipts, origin}}) {
  const number = num(block.number);
  const other = layer.toUpperCase();
  const rows = [
    ['Hash', html`<${Hash} value=${block.hash} whole copy />`],
    ['Time', html`${utc(num(block.timestamp))} <span class="quiet">(<${Age} time=${num(block.timestamp)} layer=${layer} />)</span>`],
    ['Parent', number > 0 && html`<${Hash} value=${block.parentHash} href=${`#/${layer}/block/${block.parentHash}`} whole />`],
    ['Gas used', `${grouped(block.gasUsed)} of ${grouped(block.gasLimit)}`],
    ['Base fee', `${grouped(block.baseFeePerGas ?? 0)} wei per gas`],
    ...(Origin({origin}) ?? []),
    ['Blob gas', layer === 'l1' && num(block.blobGasUsed) > 0 && grouped(block.blobGasUsed)],
    ['Fee recipient', html`<${Address} value=${block.miner} layer=${layer} />`],
    ['State root', html`<${Hash} value=${block.stateRoot} whole />`],
    ['Size', `${grouped(block.size)} bytes`],
  ];
  const step = (to, words) => to >= 0 && html`<a class="button" href=${`#/${layer}/block/${to}`}>${words}</a>`;
  return html`<${Page} title=${`${other} block #${grouped(number)}`} above=${html`<a href="#/">Explorer</a>`}
      actions=${html`${step(number - 1, '← Older')} ${number < (heads.value?.[layer]?.head.number ?? 0) && step(number + 1, 'Newer →')}`}>
    ${
      isCanonical
        ? html`<p class="lead">This block is <${Safety} value=${safetyOf(heads.value, layer, number)} />. ${number === 0 && 'It is the genesis block, so it has no parent and no transactions.'}</p>`
        : html`<p class="failure"><s>#${grouped(number)}</s> This block was replaced by a reorganisation. Its place is taken by <${BlockLink} layer=${layer} number=${number} />.</p>`
    }
    <${Facts} rows=${rows} />
    <${Section} title=${`Transactions (${block.transactions.length})`}><${Transactions} layer=${layer} block=${block} receipts=${receipts} /><//>
  <//>`;
}

export function Block({layer, id}) {
  const data = useData(() => load(layer, id), [layer, id]);
  if (data.value === null) {
    return html`<${Page} title="Not known"><${Empty}>${layer.toUpperCase()} has no block ${id}. <a href="#/">To the explorer</a><//><//>`;
  }
  if (!data.value) return html`<${Page} title=${`${layer.toUpperCase()} block`}><${Loaded} data=${data} lines=${8}>${() => null}<//><//>`;
  return html`<${Found} layer=${layer} found=${data.value} />`;
}

/** One channel: the L1 transactions that carry it, its batches, and what was dropped of it. */
import {html} from '../html.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {grouped} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Failure, Loaded} from '../parts/notice.js';
import {Amount, BlockLink, Hash} from '../parts/values.js';
import {Drops, Range, packed} from '../parts/batch_parts.js';

const TRANSACTIONS = [
  {title: 'L1', cell: (row) => html`<${BlockLink} layer="l1" number=${row.l1Block.number} />`},
  {title: 'Transaction', cell: (row) => html`<${Hash} value=${row.transactionHash} href=${`#/l1/tx/${row.transactionHash}`} />`},
  {title: 'Frames', right: true, cell: (row) => grouped(row.frameCount)},
  {title: 'Bytes', right: true, cell: (row) => grouped(row.size)},
  {title: 'As', cell: (row) => row.container},
  {title: 'Cost, OPEN', right: true, cell: (row) => (row.l1Cost === null ? '–' : html`<${Amount} wei=${row.l1Cost} unit=${false} />`)},
];

const BATCHES = [
  {title: 'Batch', right: true, cell: (row) => row.index},
  {title: 'Kind', cell: (row) => row.type},
  {title: 'L2 blocks', cell: (row) => html`<${Range} first=${row.firstBlock} last=${row.lastBlock} />`},
  {title: 'Blocks', right: true, cell: (row) => grouped(row.blockCount)},
  {title: 'Transactions', right: true, cell: (row) => grouped(row.transactionCount)},
  {title: 'Status', cell: (row) => html`<span class=${`safety is-${row.status}`}>${row.status}</span> <${Drops} drops=${row.dropped ?? []} short />`},
];

function Channel({channel}) {
  const {transactions = [], batches = [], dropped = []} = channel;
  return html`
    <${Facts} rows=${[
      ['Channel', html`<${Hash} value=${channel.channelId} whole copy />`],
      ['Status', html`<span class=${`safety is-${channel.status}`}>${channel.status}</span>${channel.completedIn && html` in L1 <${BlockLink} layer="l1" number=${channel.completedIn.number} />`}`],
      ['L2 blocks', html`<${Range} first=${channel.firstBlock} last=${channel.lastBlock} />`],
      ['Transactions', grouped(channel.transactionCount ?? 0)],
      ['Size', channel.compressedSize && `${grouped(channel.size)} bytes, ${channel.compression ? `${grouped(channel.compressedSize)} compressed by ${channel.compression} (${packed(channel)})` : 'not compressed'}`],
      ['Cost on L1', channel.l1Cost && html`<${Amount} wei=${channel.l1Cost} />`],
    ]} />
    ${dropped.length > 0 && html`<${Section} title="Dropped data, with the reason"><${Drops} drops=${dropped} /><//>`}
    <${Section} title=${`Batches (${channel.batchCount ?? batches.length})`}>${batches.length ? html`<${Table} caption="Batches of the channel" columns=${BATCHES} rows=${batches} />` : html`<${Empty}>No batch could be read from this channel.<//>`}<//>
    <${Section} title=${`L1 transactions (${transactions.length})`}>${transactions.length ? html`<${Table} caption="L1 transactions of the channel" columns=${TRANSACTIONS} rows=${transactions} />` : html`<${Empty}>No L1 transaction is known.<//>`}<//>`;
}

export function Batch({id}) {
  const data = useData(() => call('l2', 'openrollup_getBatch', [id]), [id]);
  const above = html`<a href="#/">Explorer</a> / <a href="#/batches">Batches</a>`;
  if (data.error && data.value === undefined) return html`<${Page} title="Channel" above=${above}><${Failure} error=${data.error} /><//>`;
  return html`<${Page} title="Channel" above=${above}><${Loaded} data=${data} lines=${8}>${(channel) =>
    channel ? html`<${Channel} channel=${channel} />` : html`<${Empty}>L1 has no channel ${id}.<//>`}<//><//>`;
}

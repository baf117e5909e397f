/** Batches: how L2 blocks came to L1, by channel; with each channel's frames and why one was dropped. */
import {html} from '../html.js';
import {call, has, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {madeSafeBy} from '../chain.js';
import {bytesText, foreign, grouped, num} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Failure, Loaded} from '../parts/notice.js';
import {Amount, BlockLink, Hash} from '../parts/values.js';

const PAGE = 25;
const L1_BLOCKS = 60;

/** How the blocks of a batch are said: first to last, as links. */
const Range = ({first, last}) =>
  first === null || first === undefined ? html`<span class="quiet">none</span>` : html`<${BlockLink} layer="l2" number=${num(first)} /><span class="quiet">–</span><${BlockLink} layer="l2" number=${num(last)} />`;

const Status = ({batch}) => html`<span class=${`safety is-${batch.status.replace(' ', '-')}`}>${batch.status}</span>${batch.dropReason && html` <span class="quiet">${foreign(batch.dropReason)}</span>`}`;

const ratio = ({bytesIn, bytesOut}) => (num(bytesOut) > 0 ? `${(num(bytesIn) / num(bytesOut)).toFixed(1)}×` : '–');

const COLUMNS = [
  {title: 'Channel', cell: (batch) => html`<a class="mono" href=${`#/batch/${batch.channelId}`}>${batch.channelId.slice(0, 12)}…</a>`},
  {title: 'L2 blocks', cell: (batch) => html`<${Range} first=${batch.l2Start} last=${batch.l2End} />`},
  {title: 'Transactions', right: true, cell: (batch) => grouped(batch.txCount ?? 0)},
  {title: 'Kind', hide: true, cell: (batch) => [batch.type, batch.compressor].filter(Boolean).join(', ')},
  {title: 'On L1', right: true, cell: (batch) => bytesText(num(batch.bytesOut))},
  {title: 'Packed', right: true, hide: true, cell: ratio},
  {title: 'L1 cost, OPEN', right: true, hide: true, cell: (batch) => (batch.l1Cost === null || batch.l1Cost === undefined ? '–' : html`<${Amount} wei=${batch.l1Cost} unit=${false} />`)},
  {title: 'Status', cell: (batch) => html`<${Status} batch=${batch} />`},
];

async function load() {
  if (await supports('l2', 'openrollup_listBatches')) {
    const answer = await call('l2', 'openrollup_listBatches', [null, PAGE]);
    return {batches: answer.batches};
  }
  if (!has('node') || !heads.peek()?.l1) return {};
  const newest = heads.peek().l1.head.number;
  const numbers = Array.from({length: Math.min(L1_BLOCKS, newest + 1)}, (_, index) => newest - index);
  return {ranges: [...(await madeSafeBy(numbers))].map(([l1, [first, last]]) => ({l1, first, last}))};
}

function Ranges({rows}) {
  if (!rows.length) return html`<${Empty}>No batch yet: the batcher has posted nothing that derivation took in the newest ${L1_BLOCKS} L1 blocks.<//>`;
  const columns = [
    {title: 'L1 block', cell: (row) => html`<${BlockLink} layer="l1" number=${row.l1} />`},
    {title: 'L2 blocks that became safe', cell: (row) => html`<${Range} first=${row.first} last=${row.last} />`},
    {title: 'Blocks', right: true, cell: (row) => grouped(row.last - row.first + 1)},
  ];
  return html`<p class="note">This node keeps no record by channel, so these are the L2 blocks that each L1 block made safe.</p>
    <${Table} caption="L2 blocks by L1 block" columns=${columns} rows=${rows} keyOf=${(row) => row.l1} />`;
}

export function Batches() {
  const data = useData(load, []);
  return html`<${Page} title="Batches" above=${html`<a href="#/">Explorer</a>`}>
    <p class="lead">The batcher packs L2 blocks into channels, cuts them into frames and posts these to L1. A block is safe when it can be read back from there.</p>
    <${Loaded} data=${data} lines=${8}>${({batches, ranges}) => {
      if (batches) return batches.length ? html`<${Table} caption="Batches, newest first" columns=${COLUMNS} rows=${batches} keyOf=${(batch) => batch.channelId} />` : html`<${Empty}>No batch yet. The batcher posts within a few L1 blocks of the first L2 block.<//>`;
      return ranges ? html`<${Ranges} rows=${ranges} />` : html`<${Empty}>Batches are on L1: start openrollup web with --l1 and --node to see them.<//>`;
    }}<//>
  <//>`;
}

const FRAMES = [
  {title: 'Frame', right: true, cell: (frame) => grouped(frame.number)},
  {title: 'Bytes', right: true, cell: (frame) => grouped(frame.len ?? frame.bytes ?? 0)},
  {title: 'Last', cell: (frame) => (frame.isLast ? 'yes' : '')},
  {title: 'L1 block', cell: (frame) => html`<${BlockLink} layer="l1" number=${num(frame.l1Block?.number ?? frame.l1Block)} />`},
  {title: 'L1 transaction', cell: (frame) => html`<${Hash} value=${frame.l1Tx} href=${`#/l1/tx/${frame.l1Tx}`} />`},
  {title: 'As', cell: (frame) => (frame.blobIndex === null || frame.blobIndex === undefined ? 'calldata' : `blob ${num(frame.blobIndex)}`)},
];

export function Batch({id}) {
  const data = useData(() => call('l2', 'openrollup_getBatch', [id]), [id]);
  if (data.error && data.value === undefined) return html`<${Page} title="Batch" above=${html`<a href="#/batches">Batches</a>`}><${Failure} error=${data.error} /><//>`;
  return html`<${Page} title="Batch" above=${html`<a href="#/">Explorer</a> / <a href="#/batches">Batches</a>`}>
    <${Loaded} data=${data} lines=${8}>${(batch) => html`
      <${Facts} rows=${[
        ['Channel', html`<${Hash} value=${batch.channelId} whole copy />`],
        ['Status', html`<${Status} batch=${batch} />`],
        ['L2 blocks', html`<${Range} first=${batch.l2Start} last=${batch.l2End} />`],
        ['Transactions', grouped(batch.txCount ?? 0)],
        ['Kind', [batch.type, batch.compressor].filter(Boolean).join(', ')],
        ['Size', `${grouped(num(batch.bytesIn))} bytes, ${grouped(num(batch.bytesOut))} on L1 (${ratio(batch)})`],
        ['L1 cost', batch.l1Cost !== null && batch.l1Cost !== undefined && html`<${Amount} wei=${batch.l1Cost} />`],
      ]} />
      <${Section} title=${`Frames (${(batch.frames ?? []).length})`}>${(batch.frames ?? []).length ? html`<${Table} caption="Frames" columns=${FRAMES} rows=${batch.frames} />` : html`<${Empty}>No frame of it was read.<//>`}<//>`}<//>
  <//>`;
}

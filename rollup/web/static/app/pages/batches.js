/** Batches: the L1 transactions that carry L2 blocks, newest first, and what derivation dropped by which rule. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, has, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {madeSafeBy, newestBlocks} from '../chain.js';
import {bytesText, grouped, num} from '../format.js';
import {Page} from '../parts/page.js';
import {Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Amount, BlockLink, Hash} from '../parts/values.js';
import {Drops, Range, packed} from '../parts/batch_parts.js';

const PAGE = 25;
const L1_BLOCKS = 60;

const COLUMNS = [
  {title: 'L1', cell: (row) => html`<${BlockLink} layer="l1" number=${row.l1Block.number} />`},
  {title: 'Transaction', hide: true, cell: (row) => html`<${Hash} value=${row.transactionHash} href=${`#/l1/tx/${row.transactionHash}`} />`},
  {title: 'Channel', cell: (row) => row.channels.map((channel) => html`<div><a class="mono" href=${`#/batch/${channel.channelId}`}>${channel.channelId.slice(0, 10)}…</a> ${channel.status !== 'complete' && html`<span class="chip">${channel.status}</span>`}</div>`)},
  {title: 'L2 blocks', cell: (row) => row.channels.map((channel) => html`<div><${Range} first=${channel.firstBlock} last=${channel.lastBlock} /></div>`)},
  {title: 'Transactions', right: true, hide: true, cell: (row) => grouped(row.channels.reduce((sum, channel) => sum + (channel.transactionCount ?? 0), 0))},
  {title: 'On L1', right: true, cell: (row) => html`${bytesText(row.size)} <span class="quiet">${row.container}</span>`},
  {title: 'Packed', right: true, hide: true, cell: (row) => row.channels.map(packed).join(', ')},
  {title: 'Cost, OPEN', right: true, hide: true, cell: (row) => (row.l1Cost === null ? '–' : html`<${Amount} wei=${row.l1Cost} unit=${false} />`)},
  {title: '', cell: (row) => html`<${Drops} drops=${[...row.dropped, ...row.channels.flatMap((channel) => channel.dropped ?? [])]} short />`},
];

async function load(cursor) {
  if (await supports('l2', 'openrollup_listBatches')) return call('l2', 'openrollup_listBatches', [cursor, PAGE]);
  if (!has('node') || !heads.peek()?.l1) return {};
  const blocks = await newestBlocks('l1', heads.peek().l1.head.number, L1_BLOCKS);
  const references = blocks.map(({number, hash, parentHash}) => ({number: num(number), hash, parentHash}));
  return {ranges: [...(await madeSafeBy(references))].map(([l1, [first, last]]) => ({l1, first, last}))};
}

function Ranges({rows}) {
  if (!rows.length) return html`<${Empty}>No L2 block became safe with the newest ${L1_BLOCKS} L1 blocks.<//>`;
  const columns = [
    {title: 'L1 block', cell: (row) => html`<${BlockLink} layer="l1" number=${row.l1} />`},
    {title: 'L2 blocks that became safe', cell: (row) => html`<${Range} first=${row.first} last=${row.last} />`},
    {title: 'Blocks', right: true, cell: (row) => grouped(row.last - row.first + 1)},
  ];
  return html`<p class="note">This node keeps no record of channels. The table shows which L2 blocks each L1 block made safe.</p>
    <${Table} caption="L2 blocks by L1 block" columns=${columns} rows=${rows} keyOf=${(row) => row.l1} />`;
}

export function Batches() {
  const [cursors, setCursors] = useState([null]);
  const isFirst = cursors.length === 1;
  const data = useData(() => load(cursors.at(-1)), [cursors], {live: isFirst});
  return html`<${Page} title="Batches" above=${html`<a href="#/">Explorer</a>`}>
    <p class="lead">The batcher packs L2 blocks into channels, cuts each channel into frames and posts the frames to L1. A block is safe when it can be derived from L1.</p>
    <${Loaded} data=${data} lines=${8}>${({batches, cursor, ranges}) => {
      if (ranges) return html`<${Ranges} rows=${ranges} />`;
      if (!batches) return html`<${Empty}>Batches are on L1: start openrollup web with --l1 and --node to see them.<//>`;
      if (!batches.length) return html`<${Empty}>No batch yet. The batcher posts within a few L1 blocks of the first L2 block.<//>`;
      return html`<${Table} caption="Batcher transactions, newest first" columns=${COLUMNS} rows=${batches} keyOf=${(row) => row.transactionHash} />
        <div class="inline center after">${!isFirst && html`<button type="button" onClick=${() => setCursors(cursors.slice(0, -1))}>← Newer</button>`}${cursor && html`<button type="button" onClick=${() => setCursors([...cursors, cursor])}>Older →</button>`}</div>`;
    }}<//>
  <//>`;
}

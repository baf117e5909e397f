/** What a transaction changed in the state: balances, nonces, code and storage, before and after, where the node traces. */
import {html} from '../html.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {exactOpen, grouped, short} from '../format.js';
import {Table} from './table.js';
import {Loaded} from './notice.js';
import {Traced} from './traced.js';
import {Address} from './values.js';

const ZERO = `0x${'0'.repeat(64)}`;

/** One row for each value that differs. In the tracer's difference what is absent after is gone, or as before. */
export function changes({pre, post}) {
  const rows = [];
  for (const address of [...new Set([...Object.keys(pre), ...Object.keys(post)])].sort()) {
    const before = pre[address] ?? {};
    const after = post[address];
    const isGone = after === undefined;
    if (isGone || after.balance !== undefined) rows.push({address, what: 'balance', from: BigInt(before.balance ?? 0), to: BigInt(after?.balance ?? 0)});
    if (isGone || after.nonce !== undefined) rows.push({address, what: 'nonce', from: before.nonce ?? 0, to: after?.nonce ?? 0});
    if (after?.code !== undefined) rows.push({address, what: 'code', from: null, to: after.code});
    const slots = new Set([...Object.keys(before.storage ?? {}), ...Object.keys(after?.storage ?? {})]);
    for (const slot of [...slots].sort()) rows.push({address, what: 'storage', slot, from: before.storage?.[slot] ?? ZERO, to: after?.storage?.[slot] ?? ZERO});
  }
  return rows.filter((row) => row.from !== row.to);
}

function value(row, item) {
  if (row.what === 'balance') return html`${exactOpen(item)} <span class="unit">OPEN</span>`;
  if (row.what === 'nonce') return grouped(item);
  if (row.what === 'code') return item === null ? 'none' : `${grouped((item.length - 2) / 2)} bytes`;
  return html`<span class="mono" title=${item}>${item === ZERO ? '0' : `0x${item.slice(2).replace(/^0+/, '')}`.length > 22 ? short(item, 10, 8) : `0x${item.slice(2).replace(/^0+/, '')}`}</span>`;
}

const columns = (layer) => [
  {title: 'Account', cell: (row) => html`<${Address} value=${row.address} layer=${layer} roles=${false} />`},
  {title: 'What', cell: (row) => (row.slot ? html`storage <span class="mono quiet" title=${row.slot}>${short(row.slot, 10, 8)}</span>` : row.what)},
  {title: 'Before', right: true, cell: (row) => value(row, row.from)},
  {title: 'After', right: true, cell: (row) => value(row, row.to)},
];

function Changes({layer, hash}) {
  const data = useData(() => call(layer, 'debug_traceTransaction', [hash, {tracer: 'prestateTracer', tracerConfig: {diffMode: true}}]), [layer, hash], {live: false});
  return html`<${Loaded} data=${data} lines=${3}>${(found) => html`<${Table} caption="State changes" columns=${columns(layer)} rows=${changes(found)} keyOf=${(row) => row.address + row.what + (row.slot ?? '')} />`}<//>`;
}

export const StateChanges = ({layer, hash}) => html`<${Traced} layer=${layer} title="State changes" label="Show what changed" missing="what changed in the state is">
  <${Changes} layer=${layer} hash=${hash} />
<//>`;

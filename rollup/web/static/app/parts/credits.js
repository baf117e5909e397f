/** Who was paid by an inference, credit by credit, to the wei. */
import {html} from '../html.js';
import {grouped, num, percent} from '../format.js';
import {Table} from './table.js';
import {Address, Amount, Wei} from './values.js';
import {Bar} from './bar.js';

const WORDS = {platform: 'platform', owner: 'owner', member: 'contributor', pool: 'DataNet', emptyPool: 'owner, for an empty DataNet'};

/** Credits, and below each pool the members that it divides among. */
function rowsOf(inference) {
  return inference.credits.flatMap((credit) => [
    credit,
    ...(credit.shares ?? []).map((share) => ({...share, role: 'share', of: credit})),
  ]);
}

function Who({row}) {
  if (row.role === 'pool') {
    const count = num(row.members);
    return html`<a href=${`#/datanet/${num(row.datanetId)}`}>DataNet ${num(row.datanetId)}</a> <span class="quiet">${grouped(count)} ${count === 1 ? 'member' : 'members'}</span>`;
  }
  if (row.role === 'share') return html`<span class="nested"><${Address} value=${row.account} roles=${false} /> <span class="quiet">${grouped(row.units)} units</span></span>`;
  return html`<${Address} value=${row.account} roles=${false} />`;
}

function as(row) {
  if (row.role === 'share') return html`<span class="quiet">member</span>`;
  const model = num(row.depth) > 0 ? ` of base model ${num(row.modelId)}` : '';
  const datanet = row.role === 'member' ? ` in DataNet ${num(row.datanetId)}` : '';
  return WORDS[row.role] + model + datanet;
}

export function Credits({inference}) {
  const fee = BigInt(inference.fee);
  const rows = rowsOf(inference);
  const columns = [
    {title: 'Recipient', cell: (row) => html`<${Who} row=${row} />`},
    {title: 'As', hide: true, cell: as},
    {title: 'Wei', right: true, hide: true, cell: (row) => (row.role === 'share' ? html`<span class="quiet"><${Wei} wei=${row.amount} /></span>` : html`<${Wei} wei=${row.amount} />`)},
    {title: 'OPEN', right: true, cell: (row) => html`<span class=${row.role === 'share' ? 'quiet' : ''}><${Amount} wei=${row.amount} unit=${false} /></span>`},
    {title: 'Share', right: true, cell: (row) => (row.role === 'share' ? '' : percent(BigInt(row.amount), fee))},
  ];
  const sum = {role: 'sum', amount: inference.fee};
  columns[0].cell = ((cell) => (row) => (row.role === 'sum' ? 'Fee' : cell(row)))(columns[0].cell);
  columns[1].cell = ((cell) => (row) => (row.role === 'sum' ? '' : cell(row)))(columns[1].cell);
  return html`<${Bar} label="Credits of the fee" parts=${inference.credits.map((credit, index) => ({label: `${WORDS[credit.role]} ${index + 1}`, value: BigInt(credit.amount)}))} />
    <${Table} caption="Credits of the fee" columns=${columns} rows=${[...rows, sum]} rowClass=${(row) => (row.role === 'sum' ? 'is-sum' : row.role === 'share' ? 'is-nested' : '')} />`;
}

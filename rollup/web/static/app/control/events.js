/** The events of the node (`openrollup_eventsSince`), as one sentence each. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, supports} from '../rpc.js';
import {answers} from '../heads.js';
import {useData} from '../use_data.js';
import {bytesText, foreign, grouped, hex, short, shortOpen} from '../format.js';
import {Section} from '../parts/page.js';
import {Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {BlockLink} from '../parts/values.js';

const SHOWN = 60;
const KEPT = 1000; // as many as the node remembers

const l1 = (number) => html`<${BlockLink} layer="l1" number=${number} />`;
const l2 = (number) => html`<${BlockLink} layer="l2" number=${number} />`;
const blockOf = (layer, number) => (layer.toLowerCase() === 'l1' ? l1(number) : l2(number));
const transaction = (layer, hash) => html`<a class="mono" href=${`#/${layer}/tx/${hash}`}>${short(hash)}</a>`;
const count = (number, word) => `${grouped(number)} ${word}${number === 1 ? '' : 's'}`;

/** A text of the node. Long hex values are shortened, so that the line can break on a narrow screen. */
const told = (text, show = (value) => html`<span class="mono" title=${value}>${short(value)}</span>`) =>
  foreign(text)
    .split(/(0x[0-9a-f]{17,})/)
    .map((part, index) => (index % 2 ? show(part) : part));

/** What derivation dropped: an L1 transaction is linked, a channel is not. */
const dropped = (text) => (/transaction 0x[0-9a-f]{64}/.test(text) ? told(text, (hash) => transaction('l1', hash)) : told(text));

/** What the verifier says of a safe head; nothing where none runs. */
const verified = ({verifierEqual, verifierNumber}) =>
  verifierEqual !== null && html`; the verifier ${verifierEqual ? 'is equal' : html`<strong>differs</strong>`} at ${l2(verifierNumber)}`;

/** An event in words, by its name. */
const WORDS = {
  L1BlockMined: (item) => html`L1 ${l1(item.number)} was mined, with ${count(item.transactions, 'transaction')}`,
  L2BlockBuilt: (item) => html`L2 ${l2(item.number)} was built, with ${count(item.transactions, 'transaction')} and ${grouped(item.gasUsed)} gas`,
  BatchPosted: (item) => html`The batcher posted L2 ${l2(item.firstBlock)} to ${l2(item.lastBlock)} in L1 ${l1(item.l1Block)}, ${bytesText(item.compressedBytes)} as ${item.kind}: ${transaction('l1', item.transactionHash)}`,
  SafeHeadMoved: (item) => html`L2 ${l2(item.number)} is safe, derived from L1 ${l1(item.l1Block)}${verified(item)}`,
  DepositIncluded: (item) => html`A deposit of ${shortOpen(BigInt(item.value))} OPEN from L1 became ${transaction('l2', item.l2Transaction)}`,
  OutputProposed: (item) => html`The proposer posted the output root of L2 ${l2(item.l2Block)}: ${transaction('l1', item.transactionHash)}`,
  Reorged: (item) => html`${item.layer} was reorganised: ${count(item.depth, 'block')} replaced, the head is ${blockOf(item.layer, item.newHead)}`,
  Switched: (item) => `The ${item.actor} was ${item.active ? 'started' : 'stopped'}`,
  Waiting: (item) => html`The ${foreign(item.actor)} waits: ${told(item.reason)}`,
  ConfigChanged: (item) => html`L1 ${l1(item.l1Block)} changed the system's configuration: ${foreign(item.what)}`,
  DataDropped: (item) => html`Derivation dropped ${dropped(item.what)} of L1 ${l1(item.l1Block)}, ${bytesText(item.size)}: ${told(item.reason)} <span class="quiet">${foreign(item.rule)}, ${foreign(item.section)}</span>`,
  Resumed: (item) => `${item.chain} was found at #${grouped(item.head)}, safe up to #${grouped(item.safe)}`,
  WentBack: (item) => html`${item.chain} went back from #${grouped(item.headBefore)} to #${grouped(item.number)}: ${told(item.reason)}`,
  Recovering: (item) => `${item.chain} is derived again: L1 is read up to #${grouped(item.l1Block)} of #${grouped(item.l1Head)}`,
  Stalled: (item) => `${foreign(item.what)}: ${foreign(item.advice)}`,
};
const EACH_BLOCK = new Set(['L1BlockMined', 'L2BlockBuilt']);
const BAD = new Set(['DataDropped', 'Reorged', 'Stalled', 'Waiting', 'WentBack']);

const words = (item) => WORDS[item.event]?.(item) ?? foreign(JSON.stringify(item));

/** The events that this page knows, oldest first, and how many the node had when it was asked last. */
let known = {next: 0, rows: []};

/** Asks for what came since, and from the beginning where the node has fewer events than it had: it was started again. */
async function load() {
  if (!(await supports('node', 'openrollup_eventsSince'))) return null;
  const isFirst = known.next === 0;
  let found = await call('node', 'openrollup_eventsSince', [hex(known.next)]);
  if (found.next < known.next) {
    known = {next: 0, rows: []};
    found = await call('node', 'openrollup_eventsSince', ['0x0']);
  }
  const first = found.next - found.events.length;
  const seen = isFirst ? null : Date.now() / 1000;
  const rows = found.events.map((item, index) => ({id: first + index + 1, item, seen})).filter(({id}) => id > known.next);
  if (rows.length) known = {next: found.next, rows: [...known.rows, ...rows].slice(-KEPT)};
  return known.rows;
}

const COLUMNS = [
  {title: 'No.', right: true, hide: true, cell: (row) => grouped(row.id)},
  {title: 'Seen', hide: true, cell: (row) => (row.seen === null ? html`<span class="quiet">before</span>` : new Date(row.seen * 1000).toLocaleTimeString('en-GB'))},
  {title: 'Event', cell: (row) => html`<span class=${`chip${BAD.has(row.item.event) ? ' is-bad' : ''}`}>${foreign(row.item.event)}</span>`},
  {title: 'What happened', cell: (row) => html`<span class="words">${words(row.item)}</span>`},
];

export function Events() {
  const [hasBlocks, setBlocks] = useState(false);
  const beat = answers.value;
  const data = useData(load, [], {live: false, beat});
  if (data.value === null) return null;
  return html`<${Section} title="Events" note="The events of the node, newest first. openrollup ctl events prints the same.">
    <label class="choice"><input type="checkbox" checked=${hasBlocks} onChange=${(event) => setBlocks(event.target.checked)} /> show each block</label>
    <${Loaded} data=${data} lines=${4}>${(rows) => {
      const shown = rows.filter(({item}) => hasBlocks || !EACH_BLOCK.has(item.event)).slice(-SHOWN).reverse();
      return shown.length ? html`<${Table} caption="Events" columns=${COLUMNS} rows=${shown} keyOf=${(row) => row.id} />` : html`<${Empty}>No events but new blocks so far.<//>`;
    }}<//>
  <//>`;
}

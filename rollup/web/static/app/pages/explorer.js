/** The first page: L1 and L2 side by side, and which L1 block made which L2 blocks safe. */
import {html} from '../html.js';
import {has} from '../rpc.js';
import {heads, silence} from '../heads.js';
import {useData} from '../use_data.js';
import {followBlocks, madeSafeBy, rollupConfig, safetyOf} from '../chain.js';
import {orphans} from '../orphans.js';
import {grouped, num, short} from '../format.js';
import {Page} from '../parts/page.js';
import {Empty, Loaded, Waiting} from '../parts/notice.js';
import {Age, BlockLink, Safety} from '../parts/values.js';

const ROWS = 16;

const lowest = (head) => Math.max(0, head.number - ROWS + 1);

async function loadL1(head) {
  const asked = followBlocks('l1', head, ROWS, true);
  const [blocks, config, gone] = await Promise.all([
    asked,
    rollupConfig().catch(() => null),
    orphans('l1', lowest(head), head.number, asked),
  ]);
  const made = await madeSafeBy(blocks.map(({number, hash, parentHash}) => ({number: num(number), hash, parentHash})));
  return merged(blocks, gone).map((row) => (row.block ? {...row, kinds: kinds(row.block, config), made: made.get(row.number)} : row));
}

async function loadL2(head) {
  const asked = followBlocks('l2', head, ROWS, false);
  const [blocks, gone] = await Promise.all([asked, orphans('l2', lowest(head), head.number, asked)]);
  return merged(blocks, gone);
}

/** Canonical and replaced blocks in one list, a replaced one below the block that took its number. */
function merged(blocks, gone) {
  const rows = blocks.map((block) => ({key: block.hash, number: num(block.number), block}));
  for (const item of gone) rows.push({key: item.hash, number: item.number, orphan: item});
  return rows.sort((a, b) => b.number - a.number || (a.orphan ? 1 : -1));
}

/** What the rollup's transactions of an L1 block are. */
function kinds(block, config) {
  const counts = {batch: 0, deposit: 0, other: 0};
  for (const {to} of block.transactions) {
    const target = to?.toLowerCase();
    if (config && target === config.batch_inbox_address?.toLowerCase()) counts.batch += 1;
    else if (config && target === config.deposit_contract_address?.toLowerCase()) counts.deposit += 1;
    else counts.other += 1;
  }
  return counts;
}

const plural = (count, word) => `${grouped(count)} ${word}${count === 1 ? '' : 's'}`;

function L1Row({row}) {
  if (row.orphan) return html`<${OrphanRow} layer="l1" row=${row} />`;
  const {block, kinds: found, made} = row;
  const words = [
    found.batch && html`<strong>${plural(found.batch, 'batch transaction')}</strong>`,
    found.deposit && html`<strong>${plural(found.deposit, 'deposit')}</strong>`,
    found.other && `${found.other} other`,
  ].filter(Boolean);
  return html`<li class="block-row">
    <${BlockLink} layer="l1" number=${row.number} />
    <span class="what">${words.length ? words.map((item, index) => html`${index > 0 && ', '}${item}`) : html`<span class="quiet">empty</span>`}
      ${made && html`<span class="made"><span aria-hidden="true">→ </span>made <a href=${`#/l2/block/${made[1]}`}>L2 #${grouped(made[0])}–${grouped(made[1])}</a> safe</span>`}
    </span>
    <${Age} time=${num(block.timestamp)} layer="l1" />
  </li>`;
}

function L2Row({row}) {
  if (row.orphan) return html`<${OrphanRow} layer="l2" row=${row} />`;
  const {block, number} = row;
  const signed = Math.max(0, block.transactionCount - 1);
  return html`<li class="block-row">
    <${BlockLink} layer="l2" number=${number} />
    <span class="what">${signed ? html`<strong>${plural(signed, 'transaction')}</strong>, ${grouped(block.gasUsed)} gas` : html`<span class="quiet">no transactions</span>`}</span>
    <${Safety} value=${safetyOf(heads.value, 'l2', number)} />
    <${Age} time=${num(block.timestamp)} />
  </li>`;
}

const OrphanRow = ({layer, row}) => html`<li class="block-row is-orphan">
  <s><a class="num" href=${`#/${layer}/block/${row.orphan.hash}`}>#${grouped(row.number)}</a></s>
  <span class="what"><s class="mono">${short(row.orphan.hash)}</s> replaced by a reorganisation</span>
</li>`;

function Lane({title, note: words, load, head, Row}) {
  const data = useData(() => load(head), [title]);
  return html`<section class="lane" aria-label=${title}>
    <h2>${title} <span class="note">${words}</span></h2>
    <${Loaded} data=${data} lines=${ROWS}>${(rows) => html`<ol class="blocks">${rows.map((row) => html`<${Row} key=${row.key} row=${row} />`)}</ol>`}<//>
  </section>`;
}

export function Explorer() {
  const state = heads.value;
  return html`<${Page} title="Explorer" actions=${html`<a class="button" href="#/batches">Batches</a>`}>
    <p class="lead">The sequencer builds blocks on L2, and the batcher posts them to L1. A block is safe when it can be derived from L1 alone. Who is paid for an answer is shown in the <a href="#/studio">Studio</a>.</p>
    ${
      state
        ? html`<div class=${has('l1') ? 'lanes' : 'lanes is-single'}>
            ${has('l1') && (state.l1 ? html`<${Lane} title="L1" note="data and deposits" load=${loadL1} head=${state.l1.head} Row=${L1Row} />` : html`<section class="lane" aria-label="L1"><h2>L1</h2><${Empty}>The L1 does not answer.<//></section>`)}
            <${Lane} title="L2" note="what the sequencer built" load=${loadL2} head=${state.l2.head} Row=${L2Row} />
          </div>`
        : !silence.value && html`<${Waiting} lines=${ROWS} />`
    }
  <//>`;
}

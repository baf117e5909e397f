/** What an account earned, from where, what it can claim now, and when claiming is worth its gas. */
import {html} from '../html.js';
import {call, supports} from '../rpc.js';
import {useData} from '../use_data.js';
import {go} from '../routes.js';
import {send, signer} from '../wallet.js';
import {calldata, contract} from '../contract.js';
import {heads} from '../heads.js';
import {ATTRIBUTION, nameOf} from '../names.js';
import {exactOpen, grouped, hex, num, percent, short, shortOpen, span, utc} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Figures} from '../parts/figures.js';
import {Growth} from '../parts/charts.js';
import {Address, Age, Amount, BlockLink, Hash, Wei} from '../parts/values.js';
import {say} from '../parts/toasts.js';
import {Act} from '../studio/act.js';

const SHOWN = 25;
const MOMENTS = 16;

/** What an account had earned at blocks spread over the chain: claimable then, and what it had claimed. Blocks whose state the node has dropped are left out. */
async function growth(address, earnings) {
  const head = heads.peek()?.l2.head.number;
  if (!head) return null;
  const numbers = [...new Set(Array.from({length: MOMENTS + 1}, (_, index) => Math.round((head * index) / MOMENTS)))];
  const data = await calldata('claimable', [address, earnings.byDatanet.map((row) => num(row.datanetId))]);
  const topic = (await contract()).events.find((event) => event.name === 'Claimed').topic;
  const [logs, blocks, amounts] = await Promise.all([
    call('l2', 'eth_getLogs', [{address: ATTRIBUTION, fromBlock: '0x0', topics: [topic, `0x${address.slice(2).toLowerCase().padStart(64, '0')}`]}]),
    Promise.all(numbers.map((number) => call('l2', 'eth_getBlockByNumber', [hex(number), false]))),
    Promise.all(numbers.map((number) => call('l2', 'eth_call', [{to: ATTRIBUTION, data}, hex(number)]).catch(() => null))),
  ]);
  const claimedBy = (number) => logs.filter((log) => num(log.blockNumber) <= number).reduce((sum, log) => sum + BigInt(`0x${log.data.slice(-64)}`), 0n);
  const points = numbers.map((number, index) => ({time: num(blocks[index].timestamp), wei: amounts[index] && BigInt(amounts[index]) + claimedBy(number)}));
  return points.filter((point) => point.wei !== null);
}

async function load(address) {
  if (!(await supports('l2', 'open_earnings'))) return null;
  const hasAdvice = await supports('l2', 'open_claimAdvice');
  const [earnings, listed, advice] = await Promise.all([
    call('l2', 'open_earnings', [address]),
    call('l2', 'open_listInferences', [{contributor: address}, null, hex(SHOWN)]),
    hasAdvice ? call('l2', 'open_claimAdvice', [address]) : null,
  ]);
  return {earnings, inferences: listed.inferences, advice, growth: await growth(address, earnings).catch(() => null)};
}

/** When to claim, by the rule of `openrollup economics claims`. */
function Advice({advice, claimable}) {
  if (!advice || claimable === 0n) return null;
  const amount = Number(exactOpen(claimable).replaceAll(',', ''));
  const now = `Claiming now costs about ${((100 * advice.claimCost) / amount).toPrecision(2)} % of what it pays. `;
  if (advice.interval === null) return html`<p class="note">${now}</p>`;
  return html`<p class="note">At this rate it is cheapest to claim every ${span(advice.interval)}, each time about ${advice.threshold.toPrecision(2)} OPEN. ${now}
    <span class="quiet">The rate is the average since genesis. Waiting is assumed to cost 20 % per year.</span></p>`;
}

async function claim(address, datanets, isOwn, amount) {
  const data = isOwn ? await calldata('claim', [datanets, address]) : await calldata('claimFor', [address, datanets]);
  await send({to: ATTRIBUTION, data});
  say(`${exactOpen(amount)} OPEN were paid to ${nameOf(address) ?? short(address)}`);
}

const DATANETS = [
  {title: 'DataNet', cell: (row) => html`<a href=${`#/datanet/${num(row.datanetId)}`}>DataNet ${num(row.datanetId)}</a>`},
  {title: 'Units', right: true, cell: (row) => grouped(row.units)},
  {title: 'Quoted, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.direct} unit=${false} />`},
  {title: 'From the pool, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.settled} unit=${false} />`},
  {title: 'Still in the pool, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.pending} unit=${false} />`},
];

const MODELS = [
  {title: 'Model', cell: (row) => html`<a href=${`#/usage/${num(row.modelId)}`}>model ${num(row.modelId)}</a>`},
  {title: 'As', cell: (row) => Object.keys(row.roles).join(', ')},
  {title: 'OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.total} unit=${false} />`},
];

const INFERENCES = [
  {title: 'Inference', cell: (row) => html`<a href=${`#/answer/${row.transactionHash}`}>${num(row.inferenceId)} of model ${num(row.modelId)}</a>`},
  {title: 'Block', cell: (row) => html`<${BlockLink} layer="l2" number=${num(row.blockNumber)} />`},
  {title: 'Transaction', hide: true, cell: (row) => html`<${Hash} value=${row.transactionHash} href=${`#/l2/tx/${row.transactionHash}`} />`},
  {title: 'Paid by', cell: (row) => html`<${Address} value=${row.payer} roles=${false} />`},
  {title: 'Fee, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.fee} unit=${false} />`},
  {title: 'Age', right: true, hide: true, cell: (row) => html`<${Age} time=${num(row.timestamp)} />`},
];

function Found({address, onClaimed, found: {earnings, inferences, advice, growth: points}}) {
  const [claimable, credited, pending, claimed, refunded] = ['claimable', 'credited', 'pending', 'claimed', 'refunded'].map((name) => BigInt(earnings[name]));
  const isOwn = signer.value?.address.toLowerCase() === address.toLowerCase();
  const datanets = earnings.byDatanet.filter((row) => BigInt(row.pending) > 0n).map((row) => num(row.datanetId));
  if (credited + pending + claimed + refunded === 0n) {
    return html`<${Empty}>No earnings yet. ${earnings.byDatanet.length ? 'This account has units in a DataNet, and no model has paid into it so far.' : html`This account has no units in a DataNet and owns no model that was paid. <a href="#/studio">Add a text in the Studio</a>.`}<//>`;
  }
  return html`
    <${Figures} rows=${[
      ['Claimable now', html`<${Amount} wei=${claimable} />`],
      ['Earned in all', html`<${Amount} wei=${credited + pending} />`],
      ['Of that still in pools', html`<${Amount} wei=${pending} />`],
      ['Paid out so far', html`<${Amount} wei=${claimed} />`],
    ]} />
    <p class="note">Claimable to the wei: <${Wei} wei=${claimable} /></p>
    <${Advice} advice=${advice} claimable=${claimable} />
    <${Act} label=${isOwn ? html`Claim <${Amount} wei=${claimable} />` : html`Pay out <${Amount} wei=${claimable} /> to this account`} disabled=${claimable === 0n} why="There is nothing to claim." onAct=${() => claim(address, datanets, isOwn, claimable).then(onClaimed)} />
    ${!isOwn && claimable > 0n && html`<p class="note">You pay the gas, and the account gets the money.</p>`}
    ${points?.length > 1 && html`<${Section} title="Over time" note="All earnings and refunds so far, paid out or not. Hover over the line for an amount."><${Growth} label=${`Earned over time: ${exactOpen(claimable + claimed)} OPEN at the head`} points=${points} text=${(wei) => `${shortOpen(wei)} OPEN`} when=${(time) => utc(time).slice(0, 19)} /><//>`}
    ${earnings.byDatanet.length > 0 && html`<${Section} title="By DataNet"><${Table} caption="Earnings by DataNet" columns=${DATANETS} rows=${earnings.byDatanet} /><//>`}
    ${earnings.byModel.length > 0 && html`<${Section} title="By model" note="The model whose users paid."><${Table} caption="Earnings by model" columns=${[...MODELS, {title: 'Share', right: true, cell: (row) => percent(BigInt(row.total), credited + pending)}]} rows=${earnings.byModel} /><//>`}
    ${inferences.length > 0 && html`<${Section} title="Newest inferences that quoted it"><${Table} caption="Newest inferences that quoted it" columns=${INFERENCES} rows=${inferences} keyOf=${(row) => row.transactionHash + row.inferenceId} /><//>`}`;
}

export function Earnings({address}) {
  const shown = address || signer.value?.address;
  const data = useData(() => (shown ? load(shown) : Promise.resolve(undefined)), [shown], {live: 'slowly'});
  const look = (event) => {
    event.preventDefault();
    const text = event.target.elements.address.value.trim();
    if (/^0x[0-9a-fA-F]{40}$/.test(text)) go(`#/earnings/${text}`);
  };
  return html`<${Page} title="Earnings" actions=${html`<form class="inline center" onSubmit=${look}><input name="address" aria-label="Another address" placeholder="Another address, 0x…" pattern="0x[0-9a-fA-F]{40}" spellcheck=${false} /><button>Look</button></form>`}>
    ${
      shown
        ? html`<p class="lead">What <${Address} value=${shown} whole copy /> earned as owner, platform or contributor.</p>
          <${Loaded} data=${data} lines=${6}>${(found) => (found ? html`<${Found} address=${shown} found=${found} onClaimed=${data.reload} />` : html`<${Empty}>The node behind this page has no index of earnings (open_earnings).<//>`)}<//>`
        : html`<${Empty}>Choose an account above, or type an address.<//>`
    }
  <//>`;
}

/** Use of each model: how much, by whom, and how much of it is paid by those it pays. */
import {html} from '../html.js';
import {call, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {bpsText, grouped, hex, num, percent, shortOpen, utc} from '../format.js';
import {nameOfHash} from '../studio/names_kept.js';
import {listModels, title, wholeTitle} from '../studio/registry.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Failure, Loaded} from '../parts/notice.js';
import {Figures} from '../parts/figures.js';
import {Bar} from '../parts/bar.js';
import {DayBars, Lorenz, payersOfHalf} from '../parts/charts.js';
import {Address, Age, Amount, Hash} from '../parts/values.js';

const FEW = 30;
const SHOWN = 25;
const CHARTED = 1_000;
const LORENZ_PAYERS = 2;
const DAY = 86_400;
const DAYS = 30;
const CLASSES = ['independent', 'self-paid', 'linked', 'suspected', 'unattributed batch'];

async function noise() {
  return (await supports('l2', 'open_noise')) ? call('l2', 'open_noise', []) : null;
}

/** Fees by class of one model's pairs of payer and model, or of all. */
function byClass(pairs) {
  const sums = new Map(CLASSES.map((name) => [name, 0n]));
  for (const pair of pairs) sums.set(pair.class, (sums.get(pair.class) ?? 0n) + BigInt(pair.fees));
  return sums;
}

export function Usage() {
  const data = useData(async () => ((await supports('l2', 'open_listModels')) ? {models: await listModels(), labels: await noise().catch(() => null)} : null), [], {live: 'slowly'});
  const columns = (labels) => [
    {title: 'Model', cell: (row) => html`<a href=${`#/usage/${row.id}`}>${title(row, 'Model')}</a>`},
    {title: 'Owner', hide: true, cell: (row) => html`<${Address} value=${row.owner} roles=${false} />`},
    {title: 'Inferences', right: true, cell: (row) => grouped(row.inferences)},
    {title: 'Fees, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.revenue} unit=${false} />`},
    labels && {title: 'Independent, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.independent} unit=${false} />`},
    {title: 'Last', right: true, hide: true, cell: (row) => (num(row.lastTime) ? html`<${Age} time=${num(row.lastTime)} />` : '–')},
  ].filter(Boolean);
  return html`<${Page} title="Usage">
    <p class="lead">Every paid inference by model. Fees that went back to accounts of the payer are counted separately, because volume alone says little.</p>
    <${Loaded} data=${data} lines=${5}>${(found) => {
      if (!found) return html`<${Empty}>The node behind this page has no index of models (open_listModels).<//>`;
      const {models, labels} = found;
      if (!models.length) return html`<${Empty}>No model is registered yet. <a href="#/studio">Register one in the Studio</a>.<//>`;
      const rows = models
        .map((model) => ({...model, independent: byClass((labels?.pairs ?? []).filter((pair) => pair.modelId === model.id)).get('independent')}))
        .sort((a, b) => (b.independent > a.independent ? 1 : b.independent < a.independent ? -1 : num(b.inferences) - num(a.inferences)));
      return html`<${Table} caption="Models" columns=${columns(labels)} rows=${rows} keyOf=${(row) => row.id} />${labels && html`<p class="note after">The labels follow version ${labels.version} of the rules. A label is a suspicion, never a proof.</p>`}`;
    }}<//>
  <//>`;
}

async function load(id) {
  const model = await call('l2', 'open_getModel', [hex(id)]);
  const end = (heads.peek()?.l2.head.time ?? num(model.lastTime)) + 1;
  const [usage, listed, labels, replay] = await Promise.all([
    call('l2', 'open_usage', [hex(id), hex(Math.max(0, end - DAYS * DAY)), hex(end)]),
    call('l2', 'open_listInferences', [{modelId: hex(id)}, null, hex(CHARTED)]),
    noise().catch((error) => ({error})),
    call('l2', 'open_verifyHistory', [hex(id)]),
  ]);
  return {name: await nameOfHash(model.metadata), model, usage: usage.steps[0], inferences: listed.inferences, isCut: listed.cursor !== null, end, labels, replay};
}

function Classes({pairs}) {
  const sums = byClass(pairs);
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0n);
  const isFew = pairs.reduce((sum, pair) => sum + pair.inferences, 0) < FEW;
  const rows = [...sums].map(([name, wei]) => ({name, wei})).filter((row) => row.wei > 0n || row.name === 'independent');
  const columns = [
    {title: 'Class', cell: (row) => row.name},
    {title: 'Fees, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.wei} unit=${false} />`},
    {title: 'Share', right: true, cell: (row) => (isFew ? '–' : percent(row.wei, total))},
  ];
  return html`<${Bar} label="Fees by class" parts=${rows.map((row) => ({label: row.name, value: row.wei}))} />
    <${Table} caption="Fees by class" columns=${columns} rows=${rows} />
    ${isFew && html`<p class="note after">There are fewer than ${FEW} inferences, too few for shares.</p>`}`;
}

/** The fees of each of the last 30 days by class; a label is of a pair of payer and model. */
function Days({pairs, inferences, end, isCut}) {
  const classOf = new Map(pairs.map((pair) => [pair.payer.toLowerCase(), pair.class]));
  const last = Math.floor(end / DAY);
  const days = Array.from({length: DAYS}, (_, index) => ({name: utc((last - DAYS + 1 + index) * DAY).slice(0, 10), parts: CLASSES.map(() => 0n)}));
  for (const row of inferences) {
    const day = days[DAYS - 1 - (last - Math.floor(num(row.timestamp) / DAY))];
    const place = CLASSES.indexOf(classOf.get(row.payer.toLowerCase()) ?? 'independent');
    if (day) day.parts[place] += BigInt(row.fee);
  }
  return html`<${DayBars} label="Fees by day and class; the tables below say the same in sums" classes=${CLASSES} days=${days} text=${(wei) => `${shortOpen(wei)} OPEN`} />
    ${isCut && html`<p class="note">Of the newest ${grouped(CHARTED)} inferences.</p>`}`;
}

/** How unequal payers are: the curve, and how few have half of the volume. */
function Inequality({pairs}) {
  if (pairs.length < LORENZ_PAYERS) return null;
  const amounts = pairs.map((pair) => BigInt(pair.fees));
  const half = payersOfHalf(amounts);
  return html`<div class="after"><p>${half} of ${grouped(pairs.length)} payers ${half === 1 ? 'has' : 'have'} half of the volume. The dashed line is where all payers pay the same.</p><${Lorenz} amounts=${amounts} /></div>`;
}

const PAYERS = [
  {title: 'Payer', cell: (row) => html`<${Address} value=${row.payer} roles=${false} />`},
  {title: 'Class', cell: (row) => row.class},
  {title: 'Rules that apply', hide: true, cell: (row) => row.rules.join(' ') || '–'},
  {title: 'Inferences', right: true, cell: (row) => grouped(row.inferences)},
  {title: 'Fees, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.fees} unit=${false} />`},
  {title: 'Returned', right: true, cell: (row) => percent(BigInt(row.returned), BigInt(row.fees))},
  {title: 'Cost to fake 1 OPEN', right: true, hide: true, cell: (row) => row.costToFake.toFixed(3)},
];

const INFERENCES = [
  {title: 'Inference', cell: (row) => html`<a href=${`#/answer/${row.transactionHash}`}>${grouped(row.inferenceId)}</a>${num(row.count) > 1 && html` <span class="chip">batch of ${grouped(row.count)}</span>`}`},
  {title: 'Transaction', cell: (row) => html`<${Hash} value=${row.transactionHash} href=${`#/l2/tx/${row.transactionHash}`} />`},
  {title: 'Paid by', cell: (row) => html`<${Address} value=${row.payer} roles=${false} />${row.isSelfPaid && html` <span class="chip">self-paid</span>`}`},
  {title: 'Tokens in / out', right: true, hide: true, cell: (row) => `${grouped(row.inputTokens)} / ${grouped(row.outputTokens)}`},
  {title: 'Follows', hide: true, cell: (row) => (row.influence.length ? 'the text' : 'default weights')},
  {title: 'Fee, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.fee} unit=${false} />`},
  {title: 'Age', right: true, hide: true, cell: (row) => html`<${Age} time=${num(row.timestamp)} />`},
];

function Model({found: {model, usage, inferences, isCut, end, labels, replay}}) {
  const id = num(model.modelId);
  const pairs = (labels?.pairs ?? []).filter((pair) => pair.modelId === id);
  const {split, price} = model;
  const gas = BigInt(usage.gas.total);
  const revenue = BigInt(usage.revenue);
  return html`
    <${Figures} rows=${[
      ['Inferences', grouped(usage.inferences)],
      ['Fees', html`<${Amount} wei=${usage.revenue} />`],
      ['Payers', grouped(usage.payers)],
      ['Gas in addition to the fees', revenue > 0n && percent(gas, gas + revenue)],
    ]} />
    <p class="note">In the last ${DAYS} days of chain time.</p>
    <div class="after"><${Facts} rows=${[
      ['Owner', html`<${Address} value=${model.owner} whole copy />`],
      ['Attributor', model.attributor !== model.owner && html`<${Address} value=${model.attributor} whole copy />`],
      ['Price', html`<${Amount} wei=${price.perCall} /> per call, <${Amount} wei=${price.perKiloInput} /> per 1,000 tokens in, <${Amount} wei=${price.perKiloOutput} /> out`],
      ['Split', `owner ${bpsText(num(split.ownerBps))}, base model ${bpsText(num(split.lineageBps))}, texts ${bpsText(num(split.dataBps))}, after the platform's share`],
      ['Learned from', model.weights.map((item, index) => html`${index > 0 && ', '}<a href=${`#/datanet/${num(item.datanetId)}`}>DataNet ${num(item.datanetId)}</a> <span class="quiet">weight ${grouped(item.weight)}</span>`)],
      ['Fine-tuned from', num(model.baseModelId) > 0 && html`<a href=${`#/usage/${num(model.baseModelId)}`}>model ${num(model.baseModelId)}</a>`],
      ['History', replay.isVerified ? html`<span class="safety is-safe">✓ replayed: ${grouped(replay.records)} ${num(replay.records) === 1 ? 'record gives' : 'records give'} the commitment on the chain</span>` : html`<span class="failure">the replayed commitment differs from the chain's</span>`],
    ]} /></div>
    ${labels?.error && html`<${Failure} error=${labels.error} />`}
    ${pairs.length > 0 && html`<${Section} title="Who paid" note=${html`A class says which rule applies, for example that the payer owns the model. It says nothing about intent. Version ${labels.version} of the rules.`}>
      <${Days} pairs=${pairs} inferences=${inferences} end=${end} isCut=${isCut} /><${Classes} pairs=${pairs} /><${Inequality} pairs=${pairs} /><div class="after"><${Table} caption="Payers" columns=${PAYERS} rows=${pairs} keyOf=${(row) => row.payer} /></div><//>`}
    <${Section} title="Newest inferences">${inferences.length ? html`<${Table} caption="Newest inferences" columns=${INFERENCES} rows=${inferences.slice(0, SHOWN)} keyOf=${(row) => row.transactionHash + row.inferenceId} />` : html`<${Empty}>No inference yet. <a href="#/studio">Run one in the Studio</a>.<//>`}<//>`;
}

export function ModelUsage({id}) {
  const isId = /^\d{1,18}$/.test(id);
  const data = useData(() => (isId ? load(Number(id)) : Promise.reject(new Error(`${id} is not the id of a model`))), [id], {live: 'slowly'});
  return html`<${Page} title=${wholeTitle({id, name: data.value?.name}, 'Model')} above=${html`<a href="#/usage">Usage</a>`} actions=${data.value && html`<a class="button" href=${`#/economics?model=${id}`}>Does it pay?</a>`}>
    <${Loaded} data=${data} lines=${8}>${(found) => html`<${Model} found=${found} />`}<//>
    ${data.error && !data.value && html`<p><a href="#/usage">To all models</a></p>`}
  <//>`;
}

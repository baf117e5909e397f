/** Step 3: price and split, with the money of one query next to them; then the model is registered. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {send, signer} from '../wallet.js';
import {calldata} from '../contract.js';
import {ATTRIBUTION} from '../names.js';
import {grouped, num, parseOpen, percent} from '../format.js';
import {Table} from '../parts/table.js';
import {Bar} from '../parts/bar.js';
import {Amount, Wei} from '../parts/values.js';
import {say} from '../parts/toasts.js';
import {change, form, made, run} from './state.js';
import {divide, quoteOf} from './money.js';
import {keepName} from './names_kept.js';
import {Text} from './model_step.js';
import {Act} from './act.js';
import {Step} from './step.js';

const PARTS = [
  ['owner', 'You, the owner'],
  ['lineage', 'The base model'],
  ['data', 'The texts'],
];

function Share({field, label}) {
  const value = form.value[field];
  const set = (event) => change({[field]: Math.min(100, Math.max(0, Math.round(Number(event.target.value) * 100) / 100 || 0))});
  return html`<label><span class="name">${label}, %</span><input type="number" min="0" max="100" step="0.01" value=${value} onInput=${set} /></label>`;
}

function Money({tokens, platformBps}) {
  const fee = quoteOf(form.value, tokens.input, tokens.output);
  if (fee === null) return html`<p class="failure">A price is a number of OPEN with at most 18 decimals, such as 0.01.</p>`;
  const shares = divide(fee, platformBps, form.value);
  if (!shares.isWhole) return html`<p class="failure">The three shares must sum to 100 %; they sum to ${form.value.owner + form.value.lineage + form.value.data} %.</p>`;
  const rows = [
    {name: 'The platform', wei: shares.platform},
    ...PARTS.map(([field, label]) => ({name: label, wei: shares[field]})),
    {name: 'Fee', wei: fee, isSum: true},
  ];
  const columns = [
    {title: 'Recipient', cell: (row) => row.name},
    {title: 'Wei', right: true, hide: true, cell: (row) => html`<${Wei} wei=${row.wei} />`},
    {title: 'OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.wei} unit=${false} />`},
    {title: 'Share', right: true, cell: (row) => percent(row.wei, fee)},
  ];
  return html`<${Bar} label="Money of one query" parts=${rows.filter((row) => !row.isSum).map((row) => ({label: row.name, value: row.wei}))} />
    <${Table} caption="Money of one query" columns=${columns} rows=${rows} rowClass=${(row) => (row.isSum ? 'is-sum' : '')} />`;
}

async function register() {
  const {name, baseModel, attributor, owner, lineage, data, weights, ...prices} = form.peek();
  const bps = (share) => Math.round(share * 100);
  const params = {
    metadata: await keepName(name.trim()),
    baseModelId: baseModel,
    attributor: attributor || `0x${'0'.repeat(40)}`,
    price: {perCall: parseOpen(prices.perCall || '0'), perKiloInput: parseOpen(prices.perKiloInput || '0'), perKiloOutput: parseOpen(prices.perKiloOutput || '0')},
    split: {ownerBps: bps(owner), lineageBps: bps(lineage), dataBps: bps(data)},
    weights: weights.map((item) => ({datanetId: item.id, weight: item.weight})),
  };
  const receipt = await send({to: ATTRIBUTION, data: await calldata('registerModel', [params])});
  const log = receipt.logs.find((item) => item.topics.length === 4);
  const id = num(log.topics[1]);
  made.value = {...made.peek(), model: {id, name}};
  run.value = {...run.peek(), modelId: id};
  say(`Model ${id} is registered`);
}

export function PriceStep() {
  const [tokens, setTokens] = useState({input: 12, output: 340});
  const platform = useData(() => call('l2', 'open_platform', []), [], {live: false});
  const {name, attributor, weights, owner, lineage, data} = form.value;
  const isWhole = Math.round((owner + lineage + data) * 100) === 10_000;
  const isReady = name.trim() && weights.length && isWhole && (!attributor || /^0x[0-9a-fA-F]{40}$/.test(attributor)) && quoteOf(form.value, 1, 1) !== null;
  const why = !name.trim() ? 'Give the model a name.' : !weights.length ? 'Choose a DataNet.' : !isWhole ? 'The shares must sum to 100 %.' : 'Look at prices and attributor.';
  const count = (field) => (event) => setTokens({...tokens, [field]: Math.max(0, Math.trunc(Number(event.target.value) || 0))});
  const done = made.value.model;
  return html`<${Step} number="3" title="Price and split" done=${done && `model ${done.id} is registered`} note="The platform takes its share of each fee first. The rest is split in the transaction that pays.">
    <div class="split">
      <div>
        <div class="fields">
          <${Text} label="Per call, OPEN" field="perCall" inputmode="decimal" />
          <${Text} label="Per 1,000 tokens in" field="perKiloInput" inputmode="decimal" />
          <${Text} label="Per 1,000 tokens out" field="perKiloOutput" inputmode="decimal" />
        </div>
        <div class="fields after">${PARTS.map(([field, label]) => html`<${Share} field=${field} label=${label} />`)}</div>
      </div>
      <div>
        <div class="inline"><h3>One query of</h3>
          <label class="choice short"><input type="number" min="0" value=${tokens.input} aria-label="Tokens in" onInput=${count('input')} /> tokens in</label>
          <label class="choice short"><input type="number" min="0" value=${tokens.output} aria-label="Tokens out" onInput=${count('output')} /> out</label></div>
        <div class="after">${platform.value && html`<${Money} tokens=${tokens} platformBps=${num(platform.value.bps)} />`}</div>
      </div>
    </div>
    <${Act} label="Register the model" disabled=${!isReady} why=${why} onAct=${register} />
    ${done && html`<p class="note">Model ${grouped(done.id)} belongs to ${signer.value?.name}. <a href=${`#/usage/${done.id}`}>Its usage</a>, <a href=${`#/economics?model=${done.id}`}>does it pay?</a></p>`}
  <//>`;
}

/** Does a model pay? The sentence and the numbers are those of `openrollup economics`, computed by the node. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, supports} from '../rpc.js';
import {route, setQuery} from '../routes.js';
import {useData} from '../use_data.js';
import {exactOpen, grouped, hex, parseOpen, shortOpen, visible} from '../format.js';
import {listModels, title} from '../studio/registry.js';
import {Page, Section} from '../parts/page.js';
import {Table} from '../parts/table.js';
import {Empty, Failure, Loaded} from '../parts/notice.js';
import {Amount} from '../parts/values.js';
import {HeatMap} from '../parts/charts.js';

const AFTER_TYPING = 500;
const FIELDS = {model: '', queries: '50,1000,50000', input: '812', output: '640', fee: '', prices: 'chain', openUsd: '0.20', hosting: '2', costPerQuery: '0', targetIncome: '0'};
const PRICES = [['chain', 'this chain, now'], ['local', 'a fresh local chain'], ['op-parity', 'OP Mainnet today, at 15,000 OPEN per ETH'], ['busy', 'a busy chain']];

/** The facts of the answer by table, then by route and number of queries. */
function lookup(facts) {
  const found = new Map(facts.map((fact) => [[fact.table, fact.queries, fact.route, fact.quantity].join('|'), fact]));
  return (table, queries, way, quantity) => found.get([table, queries, way, quantity].join('|'));
}

const TITLES = {month: 'Shares per month', 'break-even': 'Break-even'};

const unique = (values) => [...new Set(values)];
const capital = (words) => words[0].toUpperCase() + words.slice(1);

/** A number with where it comes from; what is assumed is underlined. */
function Fact({fact, wei = false}) {
  if (!fact) return '–';
  const shown = wei && /^-?\d+$/.test(fact.value) ? html`<${Amount} wei=${fact.value} unit=${false} />` : /^\d+$/.test(fact.value) ? grouped(fact.value) : fact.value;
  return html`<span class=${fact.assumption ? 'assumed' : ''} title=${`${fact.value} ${fact.unit}; ${fact.source}${fact.assumption ? ' (assumed)' : ''}`}>${shown}</span>`;
}

function Numbers({answer}) {
  const fact = lookup(answer.facts);
  const routes = unique(answer.facts.filter((item) => item.table === 'routes').map((item) => item.route));
  const tables = unique(answer.facts.map((item) => item.table)).filter((name) => name !== 'inputs' && name !== 'routes');
  const routeColumns = [
    {title: 'Route', cell: (way) => way},
    {title: 'Gas', right: true, cell: (way) => html`<${Fact} fact=${fact('routes', '', way, 'gas')} />`},
    {title: 'Inferences', right: true, cell: (way) => html`<${Fact} fact=${fact('routes', '', way, 'inferences')} />`},
    {title: 'Execution, OPEN', right: true, cell: (way) => html`<${Fact} wei fact=${fact('routes', '', way, 'execution')} />`},
    {title: 'L1 data, OPEN', right: true, cell: (way) => html`<${Fact} wei fact=${fact('routes', '', way, 'L1 data')} />`},
    {title: 'Operator, OPEN', right: true, hide: true, cell: (way) => html`<${Fact} wei fact=${fact('routes', '', way, 'operator fee')} />`},
    {title: 'Share of the cost', right: true, cell: (way) => ((item) => item && html`<span title=${item.source}>${(100 * Number(item.value)).toPrecision(3)} %</span>`)(fact('routes', '', way, 'share of the outlay'))},
  ];
  return html`
    <p class="conclusion">${visible(answer.conclusion)}</p>
    ${tables.map((name) => html`<${MonthTable} key=${name} name=${name} facts=${answer.facts.filter((item) => item.table === name)} />`)}
    <${Section} title="Gas by route" note="Per transaction. Hover over a number for its source. Assumptions are underlined."><${Table} caption="Gas by route" columns=${routeColumns} rows=${routes} /><//>
    <${Section} title="Inputs of the computation"><${Table} caption="Inputs" columns=${INPUTS} rows=${answer.facts.filter((item) => item.table === 'inputs')} /><//>`;
}

const INPUTS = [
  {title: 'Quantity', cell: (item) => item.quantity},
  {title: 'Value', right: true, cell: (item) => html`<span class=${item.assumption ? 'assumed' : ''}>${/^\d{4,}$/.test(item.value) ? grouped(item.value) : item.value}</span>`},
  {title: 'Unit', cell: (item) => item.unit},
  {title: 'Source', hide: true, cell: (item) => html`<span class="quiet">${item.source}</span>`},
];

/** A table of the answer that depends on the queries of a month: a row for each number of them and route. */
function MonthTable({name, facts}) {
  const quantities = unique(facts.map((item) => item.quantity));
  const keys = unique(facts.map((item) => `${item.queries}|${item.route}`));
  const fact = lookup(facts);
  const hasRoute = facts.some((item) => item.route);
  const isWei = (quantity) => facts.find((item) => item.quantity === quantity).unit.startsWith('wei');
  const columns = [
    {title: 'Queries', right: true, cell: (key) => grouped(key.split('|')[0] || 0)},
    hasRoute && {title: 'Route', cell: (key) => key.split('|')[1]},
    ...quantities.map((quantity) => ({
      title: capital(isWei(quantity) ? `${quantity}, OPEN` : quantity),
      right: true,
      cell: (key) => html`<${Fact} wei=${isWei(quantity)} fact=${fact(name, ...key.split('|'), quantity)} />`,
    })),
  ].filter(Boolean);
  return html`<${Section} title=${TITLES[name] ?? name}><${Table} caption=${name} columns=${columns} rows=${keys} /><//>`;
}

function question(fields) {
  const counts = fields.queries.split(',').map((item) => item.trim()).filter(Boolean);
  const fee = fields.fee ? parseOpen(fields.fee) : null;
  if (fields.fee && fee === null) throw new Error('A fee is a number of OPEN, such as 0.05.');
  return {
    modelId: hex(fields.model),
    queries: counts,
    tokens: [fields.input, fields.output],
    prices: fields.prices,
    openUsd: fields.openUsd,
    hosting: fields.hosting,
    costPerQuery: fields.costPerQuery,
    targetIncome: fields.targetIncome,
    ...(fee !== null && {fee: fee.toString()}),
  };
}

function Form({models, fields, onChange}) {
  const text = (name, label, more) => html`<label><span class="name">${label}</span><input value=${fields[name]} onInput=${(event) => onChange(name, event.target.value)} ...${more} /></label>`;
  const select = (name, label, rows) => html`<label><span class="name">${label}</span><select value=${fields[name]} onChange=${(event) => onChange(name, event.target.value)}>${rows.map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>`;
  return html`<form class="fields" onSubmit=${(event) => event.preventDefault()}>
    ${select('model', 'Model', models.map((item) => [String(item.id), title(item, 'Model')]))}
    ${text('queries', 'Queries per month')}
    ${text('input', 'Tokens in', {inputmode: 'numeric'})}
    ${text('output', 'Tokens out', {inputmode: 'numeric'})}
    ${text('fee', 'Fee per query, OPEN', {placeholder: 'the quote', inputmode: 'decimal'})}
    ${select('prices', 'Prices of gas and data', PRICES)}
    ${text('openUsd', 'Dollars per OPEN (a scenario)', {inputmode: 'decimal'})}
    ${text('hosting', 'Hosting, $ per month', {inputmode: 'decimal'})}
    ${text('costPerQuery', 'Compute, $ per query', {inputmode: 'decimal'})}
    ${text('targetIncome', 'Income wanted, $ per month', {inputmode: 'decimal'})}
  </form>`;
}

/** The owner's net of a month by fee and queries, computed by the node as `economics --figure heat-map` does. */
function NetMap({map}) {
  return html`<${Section} title="Owner's net per month" note=${`Paid by ${map.route}. Hover over a cell for its amount. The assumptions are those of the form.`}>
    <${HeatMap} label="Heat map of the owner's net of a month by fee and queries" rows=${map.fees.map((fee) => shortOpen(BigInt(fee)))} columns=${map.queries.map((count) => grouped(count))} cells=${map.net.map((row) => row.map(BigInt))} text=${(wei) => `${wei < 0n ? '−' : ''}${exactOpen(wei < 0n ? -wei : wei)} OPEN`} /><//>`;
}

async function ask(fields) {
  const [answer, map] = await Promise.all([call('l2', 'open_economics', [question(fields)]), call('l2', 'open_economicsMap', [question(fields)])]);
  return {answer, map};
}

function Answer({fields}) {
  const data = useData(() => ask(fields), [fields], {live: false});
  if (data.error && !data.value) return html`<${Failure} error=${data.error} />`;
  return html`<${Loaded} data=${data} lines=${8}>${({answer, map}) => html`<${Numbers} answer=${answer} /><${NetMap} map=${map} />`}<//>`;
}

function Ask({models}) {
  const [fields, setFields] = useState(() => ({...FIELDS, model: String(models[0].id), ...Object.fromEntries([...route.peek().query].filter(([name]) => name in FIELDS))}));
  const [asked, setAsked] = useState(fields);
  const [timer, setTimer] = useState(0);
  const change = (name, value) => {
    const next = {...fields, [name]: value};
    setFields(next);
    clearTimeout(timer);
    setTimer(setTimeout(() => {
      setQuery(Object.fromEntries(Object.entries(next).filter(([key, item]) => item !== FIELDS[key])));
      setAsked(next);
    }, AFTER_TYPING));
  };
  return html`<${Form} models=${models} fields=${fields} onChange=${change} /><div class="after"><${Answer} key=${JSON.stringify(asked)} fields=${asked} /></div>`;
}

export function Economics() {
  const data = useData(async () => ((await supports('l2', 'open_economics')) ? listModels() : null), [], {live: false});
  return html`<${Page} title="Economics">
    <p class="lead">Does my model pay? Gas is measured. Prices are those of this chain or of a named scenario; none is a forecast.</p>
    <${Loaded} data=${data} lines=${6}>${(models) => {
      if (!models) return html`<${Empty}>The node behind this page does not compute the economics (open_economics): <code>openrollup economics</code> does, on the command line.<//>`;
      return models.length ? html`<${Ask} models=${models} />` : html`<${Empty}>No model is registered yet. <a href="#/studio">Register one in the Studio</a>, or ask <code>openrollup economics examples/model.yaml</code>.<//>`;
    }}<//>
  <//>`;
}

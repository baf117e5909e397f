/** The control room: what the node lets one do to the chain, its heads over time, and how it heals. */
import {html} from '../html.js';
import {useEffect, useState} from '../../vendor/preact-hooks.js';
import {call, has} from '../rpc.js';
import {heads, refresh, verdict} from '../heads.js';
import {useData} from '../use_data.js';
import {foreign} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Act} from '../studio/act.js';
import {findVerbs} from '../control/verbs.js';
import {log, moment, note, watch} from '../control/log.js';
import {Events} from '../control/events.js';
import {HeadsChart} from '../control/heads_chart.js';

function Field({field, value, onChange}) {
  const set = (event) => onChange(event.target.value);
  return html`<label class="short"><span class="name">${field.label}</span>${
    field.choices ? html`<select value=${value} onChange=${set}>${field.choices.map((item) => html`<option value=${item.value ?? item}>${item.label ?? item}</option>`)}</select>` : html`<input type=${field.kind ?? 'text'} value=${value} inputmode=${field.kind ? undefined : 'numeric'} onInput=${set} />`
  }</label>`;
}

/** Whether the actor is already what the verb makes it; never where the node does not say. */
function isDone({group, turns}) {
  const isOn = heads.value?.isActive[group.toLowerCase()];
  return turns !== undefined && isOn !== undefined && isOn === (turns === 'on');
}

function Verb({verb}) {
  const fields = verb.fields ?? [];
  const [values, setValues] = useState(fields.map((field) => field.value));
  const [isAsked, setAsked] = useState(false);
  const act = async () => {
    if (verb.warns && !isAsked) {
      setAsked(true);
      return;
    }
    setAsked(false);
    const since = moment();
    const params = verb.params ? await verb.params(values) : [];
    const answer = await call(verb.endpoint, verb.method, params);
    note([verb.group, verb.label.toLowerCase(), ...values, ...(verb.says ? [verb.says(answer)] : [])].join(' '), {heals: verb.heals, since});
    refresh();
  };
  return html`<div class=${`verb${fields.length ? ' has-fields' : ''}`}>
    ${fields.map((field, index) => html`<${Field} field=${field} value=${values[index]} onChange=${(value) => setValues(values.with(index, value))} />`)}
    ${isAsked && html`<p class="failure after" role="alert">${verb.warns}</p>`}
    <${Act} label=${isAsked ? `Yes: ${verb.label.toLowerCase()}` : verb.label} isPrimary=${false} needsSigner=${false} kind=${isAsked ? 'danger' : ''} disabled=${Boolean(verb.refusal) || isDone(verb)} onAct=${act} />
  </div>`;
}

function Switched({actor}) {
  const isOn = heads.value?.isActive[actor];
  return isOn === undefined ? null : html` <span class="note">${isOn ? 'is on' : html`<strong>is off</strong>`}</span>`;
}

const clock = (time) => new Date(time * 1000).toLocaleTimeString('en-GB');

const LOG = [
  {title: 'No.', right: true, cell: (row) => row.place},
  {title: 'When', cell: (row) => clock(row.time)},
  {title: 'What', cell: (row) => row.words},
  {
    title: 'Healed',
    cell: (row) =>
      row.healed
        ? html`<span class="safety is-safe">in ${row.healed.seconds.toFixed(1)} s: ${row.healed.isVerified ? 'verifier equal' : 'safe again'} at #${row.healed.number}</span>`
        : row.target !== null && html`<span class="quiet">${verdict.value.state === 'absent' ? `waits until #${row.target} is safe` : `waits for the verifier at #${row.target}`}</span>`,
  },
];

export function Control() {
  const data = useData(findVerbs, [], {live: false});
  useEffect(watch, []);
  const rows = log.value.map((row, index) => ({...row, place: index + 1})).reverse();
  return html`<${Page} title="Control room">
    <p class="lead">Stop a part of the node, replace L1 blocks or post garbage, and watch the chain recover. A block is safe again when the verifier has derived the same block from L1.</p>
    <${Section} title="Heads over time" note="Since this page was loaded.">${heads.value && html`<${HeadsChart} />`}<//>
    <${Section} title="Switches"><${Loaded} data=${data} lines=${4}>${(groups) =>
      groups.size
        ? html`<div class="controls">${[...groups].map(([name, verbs]) => html`<section key=${name} aria-label=${name}><h3>${name}<${Switched} actor=${name.toLowerCase()} /></h3><div class="verbs">${verbs.map((verb) => html`<${Verb} key=${verb.method} verb=${verb} />`)}</div>${verbs.find((verb) => verb.refusal) && html`<p class="note after">${foreign(verbs.find((verb) => verb.refusal).refusal)}</p>`}</section>`)}</div>`
        : html`<${Empty}>${has('node') ? 'The node behind this page has no admin methods.' : 'There is no rollup node behind this page: start openrollup web with --node.'}<//>`}<//><//>
    <${Section} title="Log" note="The actions of this page. The time until healed runs from the action until sequencer and verifier have the same block at the head of that moment.">
      ${rows.length ? html`<${Table} caption="Log" columns=${LOG} rows=${rows} keyOf=${(row) => row.id} />` : html`<${Empty}>No action yet.<//>`}<//>
    ${has('node') && html`<${Events} />`}
  <//>`;
}

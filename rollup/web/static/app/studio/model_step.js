/** Step 2: a model, as a form and as YAML; a change of one is a change of the other. */
import {html} from '../html.js';
import {useEffect, useRef, useState} from '../../vendor/preact-hooks.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {exactOpen, foreign, num} from '../format.js';
import {change, form, made} from './state.js';
import {listDatanets, listModels, title} from './registry.js';
import {toYaml} from './yaml.js';
import {Waiting} from '../parts/notice.js';
import {Step} from './step.js';

const AFTER_TYPING = 350;
const NOBODY = /^0x0{40}$/;

/** The node's reading of a YAML text as the fields of the form. */
async function fromYaml(yaml) {
  const model = await call('l2', 'open_readModel', [yaml], {quiet: true});
  const open = (wei) => exactOpen(BigInt(wei)).replaceAll(',', '');
  return {
    name: model.name,
    baseModel: num(model.baseModelId),
    attributor: NOBODY.test(model.attributor) ? '' : model.attributor,
    perCall: open(model.price.perCall),
    perKiloInput: open(model.price.perKiloInput),
    perKiloOutput: open(model.price.perKiloOutput),
    owner: num(model.split.ownerBps) / 100,
    lineage: num(model.split.lineageBps) / 100,
    data: num(model.split.dataBps) / 100,
    weights: model.weights.map((item) => ({id: num(item.datanetId), weight: num(item.weight)})),
  };
}

function Yaml() {
  const [text, setText] = useState(toYaml(form.peek()));
  const [problem, setProblem] = useState('');
  const isTyping = useRef(false);
  const waiting = useRef(0);
  const shown = toYaml(form.value);
  useEffect(() => {
    if (!isTyping.current) {
      setText(shown);
      setProblem('');
    }
  }, [shown]);
  const typed = (event) => {
    isTyping.current = true;
    setText(event.target.value);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(read, AFTER_TYPING, event.target.value);
  };
  const read = async (yaml) => {
    try {
      form.value = await fromYaml(yaml);
      setProblem('');
    } catch (error) {
      setProblem(foreign(error.message));
    }
  };
  const left = () => {
    isTyping.current = false;
    if (!problem) setText(toYaml(form.peek()));
  };
  return html`<div>
    <label><span class="name">The same as YAML, for openrollup model register</span>
      <textarea class="yaml" rows="17" spellcheck=${false} value=${text} onInput=${typed} onBlur=${left} aria-describedby="yaml-problem"></textarea></label>
    <div id="yaml-problem" role="alert">${problem && html`<p class="failure after">${problem}</p>`}</div>
  </div>`;
}

export const Text = ({label, field, ...more}) => html`<label><span class="name">${label}</span>
  <input value=${form.value[field]} onInput=${(event) => change({[field]: event.target.value})} autocomplete="off" spellcheck=${false} ...${more} /></label>`;

function Datanets({found}) {
  const weights = form.value.weights;
  if (!found) return html`<${Waiting} lines=${2} />`;
  if (!found.length) return html`<p class="note">There is no DataNet yet: create one in step 1.</p>`;
  const toggle = (id) => {
    const rest = weights.filter((item) => item.id !== id);
    change({weights: rest.length < weights.length ? rest : [...weights, {id, weight: 1}].sort((a, b) => a.id - b.id)});
  };
  const weigh = (id, weight) => change({weights: weights.map((item) => (item.id === id ? {id, weight} : item))});
  return html`<fieldset><legend>It learned from</legend>${found.map((item) => {
    const chosen = weights.find((weight) => weight.id === item.id);
    return html`<div class="inline center" key=${item.id}>
      <label class="choice"><input type="checkbox" checked=${Boolean(chosen)} onChange=${() => toggle(item.id)} /> ${title(item, 'DataNet')}</label>
      ${chosen && weights.length > 1 && html`<label class="choice short"><span class="note">weight</span><input type="number" min="0" max="4294967295" value=${chosen.weight} onInput=${(event) => weigh(item.id, Math.max(0, Math.trunc(Number(event.target.value) || 0)))} /></label>`}
    </div>`;
  })}</fieldset>`;
}

export function ModelStep() {
  const data = useData(async () => ({models: await listModels(), datanets: await listDatanets()}), [], {live: 'slowly', beat: made.value});
  const {models = [], datanets} = data.value ?? {};
  return html`<${Step} number="2" title="A model that learned from it" note="The owner of the model sets its price and its split. Both are public. The attributor signs whose texts are in an answer.">
    <div class="split">
      <div class="fields">
        <${Text} label="Name" field="name" placeholder="Ward assistant" maxlength="100" />
        <label><span class="name">Fine-tuned from</span><select value=${String(form.value.baseModel)} onChange=${(event) => change({baseModel: Number(event.target.value)})}>
          <option value="0">no model here</option>${models.map((item) => html`<option value=${String(item.id)}>${title(item, 'Model')}</option>`)}</select></label>
        <${Text} label="Attributor (you, if empty)" field="attributor" placeholder="0x…" />
        <div class="whole"><${Datanets} found=${datanets} /></div>
      </div>
      <${Yaml} />
    </div>
  <//>`;
}

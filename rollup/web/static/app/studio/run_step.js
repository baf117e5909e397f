/** Step 4: a prompt, an answer, whose words are in it, and the payment that credits them. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {signer} from '../wallet.js';
import {view} from '../contract.js';
import {foreign, grouped, hex, num} from '../format.js';
import {Address, Amount, Hash} from '../parts/values.js';
import {say} from '../parts/toasts.js';
import {made, run} from './state.js';
import {SourceField, ask, source} from './source_field.js';
import {listModels, title} from './registry.js';
import {canSign, payAttested, payDefault} from './attest.js';
import {Act} from './act.js';
import {Spans} from './spans.js';
import {Settled} from './settled.js';
import {Step} from './step.js';

const TOKENS = 120;
let seed = 0;

const put = (change) => (run.value = {...run.peek(), ...change});

/** Traces an answer; what was paid for another answer is let go. */
async function trace(answer, words, retrieved = []) {
  const {modelId, prompt} = run.peek();
  const found = await call('l2', 'open_trace', [hex(modelId), answer, prompt]);
  put({answer, source: words, retrieved, trace: found, hash: null});
}

async function generate(known) {
  const {modelId, prompt} = run.peek();
  const found = await ask(known, modelId, prompt, seed++, TOKENS);
  await trace(found.text, found.source, found.retrieved);
}

/** What is paid for: nothing but the default weights, quotes, or quotes and sentences that follow a text. */
const ROUTES = {
  quotes: {label: 'to whose words are quoted', of: (found) => found},
  related: {label: 'to whose texts are quoted or followed', of: (found) => found.related},
  units: {label: 'to the whole DataNet, by units', of: () => null},
};

async function pay(model, route) {
  const {trace: found, prompt, answer} = run.peek();
  await Promise.all([prompt, answer].filter(Boolean).map((text) => call('l2', 'open_putContent', [text])));
  const [fee] = await view('quote', [model.id, num(found.inputTokens), num(found.outputTokens)]);
  const followed = ROUTES[route].of(found);
  const receipt = followed ? await payAttested(model, found, followed, fee) : await payDefault(model, found, fee);
  put({hash: receipt.transactionHash});
  say('Paid, and credited in the same transaction');
}

function Ask({models}) {
  const {modelId, prompt} = run.value;
  const [pasted, setPasted] = useState('');
  const known = useData(() => call('l2', 'open_answerSource', []), [], {live: false}).value;
  const chosen = modelId ?? models[0].id;
  if (modelId === null) put({modelId: chosen});
  return html`<div class="fields">
      <label class="half"><span class="name">Model</span><select value=${String(chosen)} onChange=${(event) => put({modelId: Number(event.target.value), answer: '', trace: null, hash: null})}>
        ${models.map((item) => html`<option value=${String(item.id)}>${title(item, 'Model')}</option>`)}</select></label>
      <label class="whole"><span class="name">Prompt</span><textarea rows="2" value=${prompt} placeholder="What helps on a night shift?" onInput=${(event) => put({prompt: event.target.value})}></textarea></label>
    </div>
    <${SourceField} known=${known} />
    ${
      source.value.kind === 'pasted'
        ? html`<label class="after"><span class="name">Its answer</span><textarea rows="4" value=${pasted} onInput=${(event) => setPasted(event.target.value)}></textarea></label>
          <${Act} label="Look whose words these are" needsSigner=${false} disabled=${!pasted.trim()} onAct=${() => trace(pasted, 'pasted')} />`
        : html`<${Act} label="Answer" needsSigner=${false} disabled=${!prompt.trim()} why="Ask something." onAct=${() => generate(known)} />`
    }`;
}

function Pay({model}) {
  const {trace: found} = run.value;
  const maySign = canSign(model.attributor);
  const [wanted, setWanted] = useState('quotes');
  const counts = [num(found.inputTokens), num(found.outputTokens)];
  const quote = useData(async () => (await view('quote', [model.id, ...counts]))[0].toString(), [model.id, ...counts]);
  const hasSpans = found.spans.length > 0;
  const hasPassages = found.related.passages.length > 0;
  const may = {quotes: maySign && hasSpans, related: maySign && hasPassages, units: true};
  const route = [wanted, 'quotes', 'related', 'units'].find((name) => may[name]);
  const label = quote.value === undefined ? 'Pay' : html`Pay <${Amount} wei=${quote.value} />`;
  return html`<div class="after">
    <fieldset><legend>The texts' share goes</legend>
      <div class="inline center">${Object.entries(ROUTES).map(([name, {label: words}]) => html`<label class="choice"><input type="radio" name="route" disabled=${!may[name]} checked=${route === name} onChange=${() => setWanted(name)} /> ${words}</label>`)}</div>
    </fieldset>
    ${(hasSpans || hasPassages) && !maySign && html`<p class="note">Only <${Address} value=${model.attributor} roles=${false} /> can attest whose words they are, and nobody here signs for it.</p>`}
    <${Act} label=${label} onAct=${() => pay(model, route)} />
    <p class="note">${grouped(counts[0])} tokens in, ${grouped(counts[1])} out. The node keeps prompt and answer, so that the link below can show them.</p>
  </div>`;
}

/** The texts that a language model was given with the prompt: why it says what it says. */
const Retrieved = ({rows}) => html`<p class="note">The model was given ${rows.map((row, index) => html`${index > 0 && ', '}<${Hash} value=${row.contentHash} /> of <${Address} value=${row.contributor} roles=${false} />`)} with the prompt.</p>`;

export function RunStep() {
  const data = useData(listModels, [], {live: 'slowly', beat: made.value});
  const models = data.value ?? [];
  const {answer, trace: found, hash, source: words, retrieved, modelId} = run.value;
  const model = models.find((item) => item.id === modelId);
  const credits = useData(async () => (hash ? (await call('l2', 'open_getInference', [hash])).credits : null), [hash]);
  return html`<${Step} number="4" title="Run it" note="Ask the model, see whose texts are in the answer, and pay. The payment credits the contributors in the same transaction.">
    ${data.value && !models.length && html`<p class="empty">There is no model yet: register one in step 3.</p>`}
    ${models.length > 0 && html`<${Ask} models=${models} />`}
    ${found && html`<div class="after"><h3>Answer <span class="note">${foreign(words)}</span></h3>
      ${retrieved.length > 0 && html`<${Retrieved} rows=${retrieved} />`}
      ${num(found.missing) > 0 && html`<p class="note">${num(found.missing)} registered texts are missing on this node, so they cannot be found in the answer.</p>`}
      <${Spans} text=${answer} trace=${found} credits=${(hash && credits.value) || undefined} /></div>`}
    ${found && model && !hash && signer.value && html`<${Pay} model=${model} />`}
    ${hash && html`<${Settled} hash=${hash} onAgain=${() => put({hash: null})} />`}
  <//>`;
}

/** Step 4: a prompt, an answer, whose words are in it, and the payment that credits them. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {signer} from '../wallet.js';
import {view} from '../contract.js';
import {foreign, grouped, hex, num} from '../format.js';
import {Address, Amount} from '../parts/values.js';
import {say} from '../parts/toasts.js';
import {run} from './state.js';
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
async function trace(answer, source) {
  const {modelId, prompt} = run.peek();
  const found = await call('l2', 'open_trace', [hex(modelId), answer, prompt]);
  put({answer, source, trace: found, hash: null});
}

async function generate() {
  const {modelId, prompt} = run.peek();
  const {text, source} = await call('l2', 'open_generate', [hex(modelId), prompt, hex(seed++), hex(TOKENS)]);
  await trace(text, source);
}

async function pay(model, byText) {
  const {trace: found, prompt, answer} = run.peek();
  await Promise.all([prompt, answer].filter(Boolean).map((text) => call('l2', 'open_putContent', [text])));
  const [fee] = await view('quote', [model.id, num(found.inputTokens), num(found.outputTokens)]);
  const receipt = byText ? await payAttested(model, found, fee) : await payDefault(model, found, fee);
  put({hash: receipt.transactionHash});
  say('Paid, and credited in the same transaction');
}

function Ask({models}) {
  const {modelId, prompt} = run.value;
  const [isPasting, setPasting] = useState(false);
  const [pasted, setPasted] = useState('');
  const source = useData(() => call('l2', 'open_answerSource', []), [], {live: false});
  const chosen = modelId ?? models[0].id;
  if (modelId === null) put({modelId: chosen});
  return html`<div class="fields">
      <label class="half"><span class="name">Model</span><select value=${String(chosen)} onChange=${(event) => put({modelId: Number(event.target.value), answer: '', trace: null, hash: null})}>
        ${models.map((item) => html`<option value=${String(item.id)}>${title(item, 'Model')}</option>`)}</select></label>
      <label class="whole"><span class="name">Prompt</span><textarea rows="2" value=${prompt} placeholder="What helps on a night shift?" onInput=${(event) => put({prompt: event.target.value})}></textarea></label>
    </div>
    ${
      isPasting
        ? html`<label class="after"><span class="name">Its answer</span><textarea rows="4" value=${pasted} onInput=${(event) => setPasted(event.target.value)}></textarea></label>
          <${Act} label="Look whose words these are" needsSigner=${false} disabled=${!pasted.trim()} onAct=${() => trace(pasted, 'pasted')} />`
        : html`<${Act} label="Answer" needsSigner=${false} disabled=${!prompt.trim()} why="Ask something." onAct=${generate} />`
    }
    <p class="note">${isPasting ? '' : html`Answers come from ${source.value?.source === 'n-gram model' ? 'an n-gram model, which draws them from the registered texts' : foreign(source.value?.source ?? '…')}. `}
      <button type="button" class="copy" onClick=${() => setPasting(!isPasting)}>${isPasting ? 'Let the node answer' : 'Paste an answer of your own model'}</button></p>`;
}

function Pay({model}) {
  const {trace: found} = run.value;
  const hasSpans = found.spans.length > 0;
  const maySign = canSign(model.attributor);
  const [isByText, setByText] = useState(true);
  const counts = [num(found.inputTokens), num(found.outputTokens)];
  const quote = useData(async () => (await view('quote', [model.id, ...counts]))[0].toString(), [model.id, ...counts]);
  const follows = hasSpans && maySign && isByText;
  const label = quote.value === undefined ? 'Pay' : html`Pay <${Amount} wei=${quote.value} />`;
  return html`<div class="after">
    <fieldset class="inline center"><legend class="unseen">How the data's share is divided</legend><span class="note">The texts' share goes</span>
      <label class="choice"><input type="radio" name="route" disabled=${!hasSpans || !maySign} checked=${follows} onChange=${() => setByText(true)} /> to whose words they are</label>
      <label class="choice"><input type="radio" name="route" checked=${!follows} onChange=${() => setByText(false)} /> to the whole DataNet, by units</label>
    </fieldset>
    ${hasSpans && !maySign && html`<p class="note">Only <${Address} value=${model.attributor} roles=${false} /> can attest whose words they are, and nobody here signs for it.</p>`}
    <${Act} label=${label} onAct=${() => pay(model, follows)} />
    <p class="note">${grouped(counts[0])} tokens in, ${grouped(counts[1])} out. The node keeps prompt and answer, so that the link below can show them.</p>
  </div>`;
}

export function RunStep() {
  const data = useData(listModels, []);
  const models = data.value ?? [];
  const {answer, trace: found, hash, source, modelId} = run.value;
  const model = models.find((item) => item.id === modelId);
  const credits = useData(async () => (hash ? (await call('l2', 'open_getInference', [hash])).credits : null), [hash]);
  return html`<${Step} number="4" title="Run it" note="A prompt, an answer, and whose words are in it. Then the payment, which credits them in the same transaction.">
    ${data.value && !models.length && html`<p class="empty">There is no model yet: register one in step 3.</p>`}
    ${models.length > 0 && html`<${Ask} models=${models} />`}
    ${found && html`<div class="after"><h3>Answer <span class="note">${source === 'pasted' ? 'pasted' : foreign(source)}</span></h3>
      ${num(found.missing) > 0 && html`<p class="note">${num(found.missing)} registered texts are not on this node and cannot be found in the answer.</p>`}
      <${Spans} text=${answer} trace=${found} credits=${(hash && credits.value) || undefined} /></div>`}
    ${found && model && !hash && signer.value && html`<${Pay} model=${model} />`}
    ${hash && html`<${Settled} hash=${hash} onAgain=${() => put({hash: null})} />`}
  <//>`;
}

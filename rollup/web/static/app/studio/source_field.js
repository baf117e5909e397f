/** Where an answer comes from: the node, a model behind a URL that is typed, or the clipboard. */
import {html} from '../html.js';
import {signal} from '../../vendor/signals-core.js';
import {call} from '../rpc.js';
import {foreign, hex} from '../format.js';

const NGRAM = 'n-gram model';

/** `{kind: 'node'|'url'|'pasted', url, model}`; url and model null until they are typed. */
export const source = signal({kind: 'node', url: null, model: null});

const put = (change) => (source.value = {...source.peek(), ...change});

/** Asks for an answer there. @returns {Promise<{text: string, source: string, retrieved: any[]}>} */
export function ask(known, modelId, prompt, seed, tokens) {
  const {kind, url, model} = source.peek();
  if (kind !== 'url') return call('l2', 'open_generate', [hex(modelId), prompt, hex(seed), hex(tokens)]);
  const place = {url: (url ?? known?.url ?? '').trim(), model: (model ?? nameOf(known)).trim()};
  return call('l2', 'open_generateFrom', [place, hex(modelId), prompt, hex(tokens)]);
}

/** The name of the model of the command line's URL, where there is one. */
const nameOf = (known) => (known?.url ? known.source : 'default');

const words = (known) =>
  known === undefined ? '…' : known.source === NGRAM ? 'an n-gram model, which draws from the registered texts' : foreign(known.source);

/** @param {{known: {source: string, url: string|null}|undefined}} props what open_answerSource says */
export function SourceField({known}) {
  const {kind, url, model} = source.value;
  const choice = (name, label) => html`<label class="choice"><input type="radio" name="source" checked=${kind === name} onChange=${() => put({kind: name})} /> ${label}</label>`;
  return html`<fieldset class="after"><legend>Who answers</legend>
      <div class="inline center">${choice('node', html`the node: ${words(known)}`)}${choice('url', 'a model behind a URL')}${choice('pasted', 'paste an answer of your own')}</div>
    </fieldset>
    ${
      kind === 'url' &&
      html`<div class="fields after">
        <label class="half"><span class="name">OpenAI-compatible URL</span><input type="url" value=${url ?? known?.url ?? ''} placeholder="http://127.0.0.1:11434/v1" spellcheck=${false} onInput=${(event) => put({url: event.target.value})} /></label>
        <label><span class="name">Name of its model</span><input value=${model ?? nameOf(known)} spellcheck=${false} onInput=${(event) => put({model: event.target.value})} /></label>
        <p class="note whole">The node asks the model and gives it the three registered texts that are nearest to the prompt. Its key can be set on the command line only: <code>--inference-key</code>.</p>
      </div>`
    }`;
}

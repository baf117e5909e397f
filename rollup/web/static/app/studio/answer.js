/** A shared answer: its words, whose they are, who was credited, and whether a new trace says what the chain recorded. */
import {html} from '../html.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {num, visible} from '../format.js';
import {Page, Section} from '../parts/page.js';
import {Empty, Failure, Loaded} from '../parts/notice.js';
import {Address, Amount} from '../parts/values.js';
import {Settled} from './settled.js';
import {Spans} from './spans.js';

async function load(hash) {
  const inference = await call('l2', 'open_getInference', [hash]);
  const [prompt, answer] = await Promise.all(
    [inference.requestHash, inference.responseHash].map((name) => call('l2', 'open_getContent', [name])),
  );
  const trace = answer === null ? null : await call('l2', 'open_trace', [inference.modelId, answer, prompt ?? '']);
  return {inference, prompt, answer, trace};
}

/** A new trace, compared with the evidence that the chain recorded. */
function Evidence({inference, trace}) {
  if (/^0x0*$/.test(inference.evidence)) {
    return html`<p class="note">Paid by the default weights of the model: the chain recorded no evidence about its words.</p>`;
  }
  if (trace.evidence === inference.evidence || trace.related?.evidence === inference.evidence) {
    const rule = trace.evidence === inference.evidence ? 'Quotes were paid' : 'Quotes, and sentences that follow a text, were paid';
    return html`<p class="safety is-safe">✓ A new trace over the registered texts gives the evidence that the chain recorded. ${rule}.</p>`;
  }
  return html`<p class="note">A new trace gives different evidence than the chain recorded. Texts were registered since then, or this node does not have them. <code>openrollup trace --tx</code> uses the texts of that moment.</p>`;
}

export function Answer({hash}) {
  const data = useData(() => load(hash), [hash], {live: false});
  if (data.error && data.value === undefined) return html`<${Page} title="Answer"><${Failure} error=${data.error} /><//>`;
  return html`<${Page} title="Answer" above=${html`<a href="#/studio">Studio</a>`}>
    <${Loaded} data=${data} lines=${8}>${({inference, prompt, answer, trace}) => html`
      <p class="lead">${prompt ? html`“${visible(prompt)}” ` : ''}<span class="quiet">asked of</span> <a href=${`#/usage/${num(inference.modelId)}`}>model ${num(inference.modelId)}</a> <span class="quiet">by</span> <${Address} value=${inference.payer} roles=${false} />, <span class="quiet">for</span> <${Amount} wei=${inference.fee} /></p>
      ${answer === null ? html`<${Empty}>This node does not have the text of the answer. The chain has only its hash.<//>` : html`<${Spans} text=${answer} trace=${trace} credits=${inference.credits} /><div class="after"><${Evidence} inference=${inference} trace=${trace} /></div>`}
      <${Section} title="Who was paid"><${Settled} hash=${hash} /><//>`}<//>
  <//>`;
}

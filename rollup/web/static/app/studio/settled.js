/** What became of a payment: who was credited, how safe it is, and whether a reorganisation undid it. */
import {html} from '../html.js';
import {call, RpcError} from '../rpc.js';
import {useData} from '../use_data.js';
import {num} from '../format.js';
import {Credits} from '../parts/credits.js';
import {Copy} from '../parts/copy.js';
import {BlockLink, Safety} from '../parts/values.js';
import {Waiting} from '../parts/notice.js';

async function load(hash) {
  try {
    return await call('l2', 'open_getInference', [hash]);
  } catch (error) {
    if (error instanceof RpcError) return null;
    throw error;
  }
}

export function Settled({hash, onAgain}) {
  const data = useData(() => load(hash), [hash]);
  if (data.value === undefined) return html`<${Waiting} />`;
  if (data.value === null) {
    return html`<p class="failure after" role="status">Undone: a reorganisation removed the inference. If its transaction is back in the pool, it will be included again.
      ${onAgain && html` <button type="button" onClick=${onAgain}>Pay again</button>`}</p>`;
  }
  const inference = data.value;
  const link = `${location.origin}/#/answer/${hash}`;
  return html`<div class="after">
    <p role="status">Inference ${num(inference.inferenceId)} of <a href=${`#/usage/${num(inference.modelId)}`}>model ${num(inference.modelId)}</a> is in <${BlockLink} layer="l2" number=${num(inference.blockNumber)} />, which is <${Safety} value=${inference.safety} />. <a href=${`#/l2/tx/${hash}`}>The transaction</a></p>
    <div class="after"><${Credits} inference=${inference} /></div>
    <p class="after">Link to this answer: <a href=${`#/answer/${hash}`} class="mono">${link.slice(0, 60)}…</a><${Copy} text=${link} label="Copy the link" /></p>
  </div>`;
}

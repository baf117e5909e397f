/** The calls inside a transaction, as a tree, where the node traces. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, supports} from '../rpc.js';
import {useData} from '../use_data.js';
import {foreign, grouped} from '../format.js';
import {Section} from './page.js';
import {Empty, Loaded} from './notice.js';
import {Address, Amount} from './values.js';

const MOST_DEPTH = 12;

function Frame({frame, layer, depth}) {
  const inner = frame.calls ?? [];
  return html`<li>
    <div class="frame"><span class="chip">${frame.type.toLowerCase()}</span>
      ${frame.to && html`<${Address} value=${frame.to} layer=${layer} roles=${false} />`}
      <span class="mono quiet">${(frame.input ?? '0x').slice(0, 10)}</span>
      ${BigInt(frame.value ?? 0) > 0n && html`<${Amount} wei=${frame.value} />`}
      <span class="quiet">${grouped(frame.gasUsed ?? 0)} gas</span>
      ${frame.error && html`<span class="chip is-bad">${foreign(frame.revertReason ?? frame.error)}</span>`}</div>
    ${inner.length > 0 && (depth < MOST_DEPTH ? html`<ul class="tree">${inner.map((item, index) => html`<${Frame} key=${index} frame=${item} layer=${layer} depth=${depth + 1} />`)}</ul>` : html`<p class="quiet">${inner.length} calls deeper</p>`)}
  </li>`;
}

function Tree({layer, hash}) {
  const data = useData(() => call(layer, 'debug_traceTransaction', [hash, {tracer: 'callTracer'}]), [layer, hash], {live: false});
  return html`<${Loaded} data=${data} lines=${3}>${(frame) => html`<ul class="tree is-root"><${Frame} frame=${frame} layer=${layer} depth=${0} /></ul>`}<//>`;
}

export function CallTrace({layer, hash}) {
  const [isOpen, setOpen] = useState(false);
  const data = useData(() => supports(layer, 'debug_traceTransaction'), [layer], {live: false});
  if (data.value === undefined) return null;
  return html`<${Section} title="Calls">
    ${
      !data.value
        ? html`<${Empty}>This node has no debug_traceTransaction, so the calls inside are not shown.<//>`
        : isOpen
          ? html`<${Tree} layer=${layer} hash=${hash} />`
          : html`<button type="button" onClick=${() => setOpen(true)}>Trace the calls</button>`
    }
  <//>`;
}

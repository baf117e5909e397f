/** The calls inside a transaction, as a tree, where the node traces. */
import {html} from '../html.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {foreign, grouped} from '../format.js';
import {Loaded} from './notice.js';
import {Traced} from './traced.js';
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

export const CallTrace = ({layer, hash}) => html`<${Traced} layer=${layer} title="Calls" label="Trace the calls" missing="the calls inside are">
  <${Tree} layer=${layer} hash=${hash} />
<//>`;

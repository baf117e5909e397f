/** A section that needs a trace: shown where the node traces, and asked for when the reader wants it. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {supports} from '../rpc.js';
import {useData} from '../use_data.js';
import {Section} from './page.js';
import {Empty} from './notice.js';

/** @param {{layer: string, title: string, label: string, missing: string, children: any}} props label: of the button; missing: what a node without traces does not show */
export function Traced({layer, title, label, missing, children}) {
  const [isOpen, setOpen] = useState(false);
  const data = useData(() => supports(layer, 'debug_traceTransaction'), [layer], {live: false});
  if (data.value === undefined) return null;
  return html`<${Section} title=${title}>
    ${
      !data.value
        ? html`<${Empty}>This node has no debug_traceTransaction, so ${missing} not shown.<//>`
        : isOpen
          ? children
          : html`<button type="button" onClick=${() => setOpen(true)}>${label}</button>`
    }
  <//>`;
}

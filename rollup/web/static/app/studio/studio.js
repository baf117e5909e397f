/** The Studio: texts, a model, its price, a run, and a link to what came of it; one page, five headings. */
import {html} from '../html.js';
import {supports} from '../rpc.js';
import {useData} from '../use_data.js';
import {Page} from '../parts/page.js';
import {Empty, Loaded} from '../parts/notice.js';
import {DatanetStep} from './datanet_step.js';
import {ModelStep} from './model_step.js';
import {PriceStep} from './price_step.js';
import {RunStep} from './run_step.js';

export function Studio() {
  const data = useData(() => supports('l2', 'open_trace'), [], {live: false});
  return html`<${Page} title="Studio">
    <${Loaded} data=${data}>${(isThere) =>
      isThere
        ? html`<p class="lead">Add texts, register a model that learned from them, ask it a question, and see who is paid for the answer. Each step is a transaction that you can look at.</p>
          <${DatanetStep} /><${ModelStep} /><${PriceStep} /><${RunStep} />`
        : html`<${Empty}>The node behind this page has no open_trace, so it cannot say whose words an answer repeats. The Studio needs a node of openrollup.<//>`}<//>
  <//>`;
}

/** Messages for three cases: nothing to show, a failure, and data that is still loading. */
import {html} from '../html.js';
import {foreign} from '../format.js';

/** Nothing is there yet: what it is, and what to do. */
export const Empty = ({children}) => html`<p class="empty">${children}</p>`;

/** Something went wrong, in the words of the node. */
export const Failure = ({error}) => html`<p class="failure" role="alert">${foreign(error.message)}</p>`;

/** On its way: lines of the height of what comes. */
export const Waiting = ({lines = 3}) => html`<div class="skeleton" aria-label="loading" role="img">${Array.from({length: lines}, (_, index) => html`<span key=${index}></span>`)}</div>`;

/** One of the three, or what `children` makes of the value. */
export function Loaded({data, lines, children}) {
  if (data.value !== undefined) return children(data.value);
  return data.error ? html`<${Failure} error=${data.error} />` : html`<${Waiting} lines=${lines} />`;
}

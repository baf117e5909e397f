/** One step of the Studio: a heading with its number, what it is for, and whether it is done. */
import {html} from '../html.js';

export const Step = ({number, title, note, done, children}) => html`<section class="step" aria-labelledby=${`step-${number}`}>
  <h2 id=${`step-${number}`}><span class="number">${number}</span>${title}${done && html`<span class="done">${done}</span>`}</h2>
  <p class="note">${note}</p>
  ${children}
</section>`;

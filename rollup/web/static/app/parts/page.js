/** A page: its title, its parts, and the title of the browser's tab. */
import {html} from '../html.js';
import {useEffect} from '../../vendor/preact-hooks.js';

export function Page({title, above, children, actions}) {
  useEffect(() => {
    document.title = `${typeof title === 'string' ? title : 'openrollup'} · openrollup`;
  }, [title]);
  return html`<article class="page">
    ${above && html`<p class="above">${above}</p>`}
    <header class="page-head"><h1>${title}</h1>${actions && html`<div class="actions">${actions}</div>`}</header>
    ${children}
  </article>`;
}

export const Section = ({title, note, children, id}) => html`<section class="part" aria-labelledby=${id ?? null}>
  <h2 id=${id ?? null}>${title}</h2>
  ${note && html`<p class="note">${note}</p>`}
  ${children}
</section>`;

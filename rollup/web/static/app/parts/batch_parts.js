/** What the pages about batches share: ranges of L2 blocks, drops with their rule, how well a channel is packed. */
import {html} from '../html.js';
import {foreign, grouped} from '../format.js';
import {BlockLink} from './values.js';

/** First to last, as links. */
export const Range = ({first, last}) =>
  first === null || first === undefined ? html`<span class="quiet">–</span>` : html`<${BlockLink} layer="l2" number=${first} />${last !== first && html`<span class="quiet">–</span><${BlockLink} layer="l2" number=${last} />`}`;

/** @param {any} channel @returns {string} bytes for each byte on L1 */
export const packed = ({size, compressedSize}) => (size && compressedSize ? `${(size / compressedSize).toFixed(1)}×` : '–');

/** Why something was dropped, with the rule's section in the specification; `short` for a cell of a table. */
export function Drops({drops, short = false}) {
  if (!drops.length) return short ? '' : null;
  if (short) return drops.map((drop) => html`<span class="chip is-bad" title=${foreign(drop.text)}>dropped: ${foreign(drop.rule)}</span> `);
  return html`<ul class="values">${drops.map(
    (drop) => html`<li><span class="chip is-bad">${foreign(drop.rule)}</span> ${foreign(drop.text)}${drop.detail && html` <span class="quiet">${foreign(drop.detail)}</span>`}${drop.count > 1 && html` <span class="quiet">${grouped(drop.count)} times</span>`}
      <span class="quiet"> ${/^https:\/\//.test(drop.url ?? '') ? html`<a href=${drop.url} rel="noopener noreferrer" target="_blank">${foreign(drop.section)}</a>` : foreign(drop.section ?? '')}</span></li>`,
  )}</ul>`;
}

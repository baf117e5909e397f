/** Amounts, hashes, addresses and times: how each is shown everywhere. */
import {html} from '../html.js';
import {exactOpen, foreign, grouped, short, shortOpen, span, utc} from '../format.js';
import {nameOf, rolesOf} from '../names.js';
import {heads} from '../heads.js';
import {Copy} from './copy.js';

/** An amount in OPEN; hovering says every digit and the wei. */
export const Amount = ({wei, unit = true}) => html`<span class="amount" title=${`${exactOpen(BigInt(wei))} OPEN = ${grouped(wei)} wei`}
  >${shortOpen(BigInt(wei))}${unit && html`<span class="unit"> OPEN</span>`}</span>`;

/** An amount in wei, every digit. */
export const Wei = ({wei}) => html`<span class="amount wei">${grouped(wei)}<span class="unit"> wei</span></span>`;

/** A hash, shortened unless `whole`; linked where `href` is given. */
export function Hash({value, href, whole = false, copy = false}) {
  const text = whole ? value : short(value);
  const shown = href ? html`<a class="mono" href=${href} title=${value}>${text}</a>` : html`<span class="mono" title=${value}>${text}</span>`;
  return html`<span class="hash">${shown}${copy && html`<${Copy} text=${value} />`}</span>`;
}

/** An address by its name where it has one, with its roles. */
export function Address({value, layer = 'l2', whole = false, copy = false, roles = true}) {
  if (!value) return html`<span class="quiet">none</span>`;
  const name = nameOf(value);
  const chips = roles ? rolesOf(value) : [];
  return html`<span class="address">
    <a href=${`#/${layer}/address/${value}`} title=${value} class=${name && !whole ? '' : 'mono'}>${
      whole ? value : name ? foreign(name) : short(value)
    }</a>
    ${whole && name && html`<span class="quiet"> ${foreign(name)}</span>`}
    ${chips.map((chip) => html`<span class="chip">${chip}</span>`)}
    ${copy && html`<${Copy} text=${value} />`}
  </span>`;
}

/** How long ago by the chain's clock, which is the head's time: a virtual clock is not the reader's. */
export function Age({time, layer = 'l2'}) {
  const state = heads.value;
  const newest = Math.max(state?.[layer]?.head?.time ?? time, time);
  return html`<time class="age" datetime=${new Date(time * 1000).toISOString()} title=${utc(time)}>${span(newest - time)} ago</time>`;
}

/** A block's number as a link. */
export const BlockLink = ({layer, number}) => html`<a class="num" href=${`#/${layer}/block/${number}`}>#${grouped(number)}</a>`;

/** How far a block is from being undone. */
export const Safety = ({value}) => html`<span class=${`safety is-${value}`}>${value}</span>`;

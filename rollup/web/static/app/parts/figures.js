/** A few figures that matter, large, each with what it is. */
import {html} from '../html.js';

/** @param {{rows: [string, any][]}} props rows without a value are left out */
export const Figures = ({rows}) => html`<dl class="figures">${rows
  .filter(([, value]) => value !== undefined && value !== null && value !== false)
  .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** Decoded arguments of a call or a log, each by its type. */
import {html} from '../html.js';
import {foreign, grouped} from '../format.js';
import {Facts} from './table.js';
import {Address, Amount, Hash} from './values.js';

const MONEY = new Set(['fee', 'amount', 'escrow', 'refund', 'perCall', 'perKiloInput', 'perKiloOutput']);

function Value({name, type, value}) {
  if (Array.isArray(value)) {
    return value.length ? html`<ol class="values">${value.map((item) => html`<li><${Value} name=${name} type=${type.replace(/\[\]$/, '')} value=${item} /></li>`)}</ol>` : html`<span class="quiet">none</span>`;
  }
  if (type === 'address') return html`<${Address} value=${value} roles=${false} />`;
  if (typeof value === 'bigint') {
    if (MONEY.has(name)) return html`<${Amount} wei=${value} />`;
    return value > 2n ** 96n ? html`<span class="mono break">0x${value.toString(16)}</span>` : grouped(value);
  }
  if (typeof value === 'object') {
    return Object.entries(value).map(([key, item], index) => html`${index > 0 && ', '}<span class="quiet">${key}</span> <${Value} name=${key} type=${guess(item)} value=${item} />`);
  }
  if (type === 'bytes32') return /^0x0+$/.test(value) ? html`<span class="quiet">zero</span>` : html`<${Hash} value=${value} copy />`;
  return html`<span class="mono break">${foreign(value)}</span>`;
}

/** The type of a member of a tuple, of which only the value is at hand. */
function guess(value) {
  if (typeof value !== 'string') return '';
  return value.length === 42 ? 'address' : value.length === 66 ? 'bytes32' : 'bytes';
}

/** @param {{values: [string, string, any][]}} props name, type and value of each */
export const Arguments = ({values}) =>
  html`<${Facts} rows=${values.map(([name, type, value]) => [name, html`<${Value} name=${name} type=${type} value=${value} />`])} />`;

/** Who is paid for a text: a development account, or an address that is typed. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {accounts} from '../wallet.js';
import {short} from '../format.js';
import {nameOf} from '../names.js';

const OTHER = 'other';
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

export function Contributor({label, value, onChange}) {
  const known = accounts.value;
  const [isOther, setOther] = useState(false);
  const choose = (event) => {
    setOther(event.target.value === OTHER);
    if (event.target.value !== OTHER) onChange(event.target.value);
  };
  const isListed = known.includes(value);
  return html`<span class="inline center">
    <select aria-label=${label} value=${isOther ? OTHER : value} onChange=${choose}>
      ${known.map((address) => html`<option value=${address}>${nameOf(address) ?? short(address)}</option>`)}
      ${!isListed && !isOther && value && html`<option value=${value}>${nameOf(value) ?? short(value)}</option>`}
      <option value=${OTHER}>Another address…</option>
    </select>
    ${isOther && html`<input aria-label=${`${label}: address`} placeholder="0x…" pattern="0x[0-9a-fA-F]{40}" spellcheck=${false}
      onInput=${(event) => ADDRESS.test(event.target.value) && onChange(event.target.value)} />`}
  </span>`;
}

/** Short messages about what the reader did; the region is there before the first of them. */
import {html} from '../html.js';
import {signal} from '../../vendor/signals-core.js';

const SHOWN_FOR = 8000;
const shown = signal([]);
let lastId = 0;

/** @param {string} text @param {'good'|'bad'} [kind] */
export function say(text, kind = 'good') {
  const id = ++lastId;
  shown.value = [...shown.peek().slice(-2), {id, text, kind}];
  setTimeout(() => (shown.value = shown.peek().filter((item) => item.id !== id)), SHOWN_FOR);
}

export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">${shown.value.map(
  (item) => html`<p key=${item.id} class=${`toast is-${item.kind}`}>${item.text}</p>`,
)}</div>`;

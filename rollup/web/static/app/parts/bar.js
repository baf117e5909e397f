/** Parts of a whole as one bar; the table next to it has the same content as text. */
import {html} from '../html.js';

/** @param {{label: string, parts: {label: string, value: bigint}[]}} props */
export function Bar({label, parts}) {
  const total = parts.reduce((sum, part) => sum + part.value, 0n);
  if (total === 0n) return null;
  let at = 0;
  return html`<svg class="bar-chart" viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${parts.map((part, index) => {
      const width = Number((part.value * 100000n) / total) / 100;
      const shape = html`<rect key=${part.label} class=${`shade-${index % 6}`} x=${at} y="0" width=${Math.max(0, width - (width > 4 ? 2 : 0))} height="12"><title>${part.label}</title></rect>`;
      at += width;
      return shape;
    })}
  </svg>`;
}

/** Charts as plain SVG: bars by day, the Lorenz curve, a line over time, a heat map. Text next to each has the same content. */
import {html} from '../html.js';

const WIDE = 640;
const HIGH = 200;
const LEFT = 8;
const BOTTOM = 20;

/** A share of the whole, from 0 to 1, of two amounts of wei. */
const ratio = (part, whole) => (whole > 0n ? Number((part * 1_000_000n) / whole) / 1_000_000 : 0);

const Words = ({x, y, anchor = 'start', children}) => html`<text class="chart-text" x=${x} y=${y} text-anchor=${anchor}>${children}</text>`;

/** Names of the colours of a chart. */
export function Legend({labels}) {
  return html`<figcaption class="legend">${labels.map((label, index) => html`<span key=${label}><i style=${{'--swatch': `var(--shade-${index % 6})`}}></i>${label}</span>`)}</figcaption>`;
}

/**
 * Stacked bars, one for each day.
 * @param {{label: string, classes: string[], days: {name: string, parts: bigint[]}[], text: (wei: bigint) => string}} props
 */
export function DayBars({label, classes, days, text}) {
  const sums = days.map((day) => day.parts.reduce((sum, part) => sum + part, 0n));
  const top = sums.reduce((most, sum) => (sum > most ? sum : most), 0n);
  if (top === 0n) return null;
  const width = (WIDE - LEFT) / days.length;
  return html`<figure class="drawn">
    <${Legend} labels=${classes} />
    <svg class="chart-svg" viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${label}>
      <${Words} x=${LEFT} y=${12}>${text(top)}<//>
      ${days.map((day, index) => {
        let at = HIGH - BOTTOM;
        return html`<g key=${day.name}>${day.parts.map((part, shade) => {
          const height = ratio(part, top) * (HIGH - BOTTOM - 18);
          at -= height;
          return part > 0n && html`<rect class=${`shade-${shade % 6}`} x=${LEFT + index * width + 1} y=${at} width=${Math.max(1, width - 2)} height=${height}><title>${`${day.name}, ${classes[shade]}: ${text(part)}`}</title></rect>`;
        })}</g>`;
      })}
      <line class="chart-axis" x1=${LEFT} x2=${WIDE} y1=${HIGH - BOTTOM} y2=${HIGH - BOTTOM} />
      <${Words} x=${LEFT} y=${HIGH - 4}>${days[0].name}<//>
      ${days.length > 1 && html`<${Words} x=${WIDE} y=${HIGH - 4} anchor="end">${days[days.length - 1].name}<//>`}
    </svg></figure>`;
}

/** The points of the Lorenz curve: the share of the volume that the smallest payers have together. */
export function lorenz(amounts) {
  const ordered = [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const total = ordered.reduce((sum, amount) => sum + amount, 0n);
  let sum = 0n;
  return [[0, 0], ...ordered.map((amount, index) => [(index + 1) / ordered.length, ratio((sum += amount), total)])];
}

/** How many of the largest payers have half of the volume together. */
export function payersOfHalf(amounts) {
  const ordered = [...amounts].sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  const total = ordered.reduce((sum, amount) => sum + amount, 0n);
  let sum = 0n;
  return ordered.findIndex((amount) => 2n * (sum += amount) >= total) + 1;
}

/** @param {{amounts: bigint[]}} props what each payer paid */
export function Lorenz({amounts}) {
  const side = HIGH - BOTTOM - 4;
  const place = ([x, y]) => `${LEFT + x * side},${4 + (1 - y) * side}`;
  return html`<figure class="drawn is-square">
    <svg class="chart-svg" viewBox=${`0 0 ${side + LEFT + 4} ${HIGH}`} role="img" aria-label="Lorenz curve of payers">
      <polyline class="chart-equal" points=${`${place([0, 0])} ${place([1, 1])}`} />
      <polyline class="chart-line" points=${lorenz(amounts).map(place).join(' ')} />
      <path class="chart-axis" d=${`M${LEFT},4 V${4 + side} H${LEFT + side}`} />
      <${Words} x=${LEFT} y=${HIGH - 4}>share of payers, smallest first<//>
    </svg></figure>`;
}

/**
 * An amount over time.
 * @param {{label: string, points: {time: number, wei: bigint}[], text: (wei: bigint) => string, when: (time: number) => string}} props
 */
export function Growth({label, points, text, when}) {
  const top = points.reduce((most, point) => (point.wei > most ? point.wei : most), 0n);
  const first = points[0].time;
  const last = points[points.length - 1].time;
  if (top === 0n || last === first) return null;
  const x = (time) => LEFT + ((time - first) / (last - first)) * (WIDE - LEFT - 4);
  const y = (wei) => HIGH - BOTTOM - ratio(wei, top) * (HIGH - BOTTOM - 18);
  const line = points.map((point) => `${x(point.time)},${y(point.wei)}`).join(' ');
  return html`<figure class="drawn">
    <svg class="chart-svg" viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${label}>
      <polygon class="chart-area" points=${`${LEFT},${HIGH - BOTTOM} ${line} ${x(last)},${HIGH - BOTTOM}`} />
      <polyline class="chart-line" points=${line} />
      ${points.map((point) => html`<circle key=${point.time} class="chart-point" cx=${x(point.time)} cy=${y(point.wei)} r="5"><title>${`${when(point.time)}: ${text(point.wei)}`}</title></circle>`)}
      <line class="chart-axis" x1=${LEFT} x2=${WIDE} y1=${HIGH - BOTTOM} y2=${HIGH - BOTTOM} />
      <${Words} x=${LEFT} y=${12}>${text(top)}<//>
      <${Words} x=${LEFT} y=${HIGH - 4}>${when(first)}<//><${Words} x=${WIDE} y=${HIGH - 4} anchor="end">${when(last)}<//>
    </svg></figure>`;
}

/** The strength of a colour from 0.12 to 1, by the logarithm of an amount against the largest. */
function strength(wei, most) {
  const size = (value) => value.toString().length;
  const digits = size(most) - size(wei < 0n ? -wei : wei);
  return Math.max(0.12, 1 - digits / 6);
}

/**
 * What a month leaves, by fee (rows, the highest on top) and queries (columns): red below zero, blue above.
 * @param {{label: string, rows: string[], columns: string[], cells: bigint[][], text: (wei: bigint) => string}} props
 */
export function HeatMap({label, rows, columns, cells, text}) {
  const most = cells.flat().reduce((found, wei) => ((wei < 0n ? -wei : wei) > found ? (wei < 0n ? -wei : wei) : found), 1n);
  const width = (WIDE - LEFT) / columns.length;
  const height = (HIGH + 60 - BOTTOM) / rows.length;
  const foot = HIGH + 60 - BOTTOM;
  return html`<figure class="drawn">
    <figcaption class="legend"><span><i style=${{'--swatch': 'var(--bad)'}}></i>a loss</span><span><i style=${{'--swatch': 'var(--shade-0)'}}></i>a profit</span><span>stronger: more digits</span></figcaption>
    <svg class="chart-svg" viewBox=${`0 0 ${WIDE} ${HIGH + 60}`} role="img" aria-label=${label}>
      ${cells.map((line, row) => line.map((wei, column) => html`<rect key=${`${row}-${column}`} class=${wei < 0n ? 'chart-loss' : 'chart-profit'} fill-opacity=${strength(wei, most)} x=${LEFT + column * width} y=${foot - (row + 1) * height} width=${width} height=${height}><title>${`${rows[row]} OPEN per query, ${columns[column]} queries: ${text(wei)}`}</title></rect>`))}
      <${Words} x=${LEFT} y=${foot + 16}>${columns[0]} queries per month, ${rows[0]} OPEN per query<//>
      <${Words} x=${WIDE} y=${foot + 16} anchor="end">${columns[columns.length - 1]} queries; top: ${rows[rows.length - 1]} OPEN<//>
    </svg></figure>`;
}

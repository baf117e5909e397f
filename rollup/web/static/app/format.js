/** Numbers, amounts and texts as people read them. Amounts are BigInt from end to end: a Number would round them. */

const WEI_DIGITS = 18;
const SIGNIFICANT = 4;
const DECIMALS = 6;

/** @param {string|number|bigint} value a quantity (0x…), a number or a BigInt @returns {bigint} */
export const big = (value) => BigInt(value ?? 0);

/** @param {string|number|bigint} value @returns {number} of a quantity that fits: a block number, a time, a count */
export const num = (value) => Number(value ?? 0);

/** @param {number|bigint} value @returns {string} 0x quantity */
export const hex = (value) => '0x' + BigInt(value).toString(16);

/** @param {string|number|bigint} value @returns {string} with a comma between thousands */
export const grouped = (value) => BigInt(value).toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** @param {bigint} wei @returns {string} every digit, without zeros at the end */
export function exactOpen(wei) {
  const sign = wei < 0n ? '-' : '';
  const digits = (wei < 0n ? -wei : wei).toString().padStart(WEI_DIGITS + 1, '0');
  const fraction = digits.slice(-WEI_DIGITS).replace(/0+$/, '');
  return sign + grouped(digits.slice(0, -WEI_DIGITS)) + (fraction ? '.' + fraction : '');
}

/**
 * An amount to read: cut (never rounded up) after six decimals, or after four digits that count where it is small.
 *
 * @param {bigint} wei
 * @returns {string}
 */
export function shortOpen(wei) {
  const [whole, fraction = ''] = exactOpen(wei).split('.');
  const zeros = fraction.search(/[1-9]/);
  const isSmall = /^-?0$/.test(whole) && zeros >= DECIMALS - SIGNIFICANT;
  const kept = fraction.slice(0, isSmall ? zeros + SIGNIFICANT : DECIMALS).replace(/0+$/, '');
  return kept ? `${whole}.${kept}` : whole;
}

/** @param {string} text such as 0.05 @returns {bigint|null} wei; null if it is not an amount */
export function parseOpen(text) {
  const found = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text.trim());
  return found && BigInt(found[1] + (found[2] ?? '').padEnd(WEI_DIGITS, '0'));
}

/** @param {bigint} part @param {bigint} whole @returns {string} such as 12.3 % */
export function percent(part, whole) {
  if (whole === 0n) return '–';
  const tenths = (part * 2000n + whole) / (2n * whole);
  return `${tenths / 10n}.${tenths % 10n} %`;
}

/** @param {number} bps basis points @returns {string} */
export const bpsText = (bps) => `${(bps / 100).toString()} %`;

/** @param {string} value hex data @returns {string} such as 0x1234…abcd */
export const short = (value, head = 6, tail = 4) =>
  value.length <= head + tail + 3 ? value : `${value.slice(0, head)}…${value.slice(-tail)}`;

/** @param {number} seconds @returns {string} such as 4 min */
export function span(seconds) {
  const value = Math.max(0, Math.round(seconds));
  if (value < 90) return `${value} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} d`;
}

/** @param {number} seconds unix time @returns {string} in UTC, to the second */
export const utc = (seconds) => new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19) + ' UTC';

/** @param {number} bytes @returns {string} such as 41.2 kB */
export const bytesText = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const MOST_CHARACTERS = 200;

/**
 * Foreign text on one line: control characters and those that turn the direction of writing become visible, and it ends
 * after 200 characters.
 *
 * @param {string} text
 * @returns {string}
 */
export function foreign(text) {
  const seen = visible(text).replace(/\s+/g, ' ');
  return seen.length > MOST_CHARACTERS ? seen.slice(0, MOST_CHARACTERS) + '…' : seen;
}

/** @param {string} text @returns {string} with a symbol for each character that would not be seen; lines are kept */
export const visible = (text) => String(text).replace(HIDDEN, '␦');

/** @param {string} text @returns {string} 0x and its UTF-8 bytes in hex */
export const utf8Hex = (text) =>
  '0x' + Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');

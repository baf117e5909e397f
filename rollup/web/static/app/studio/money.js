/** How a fee is divided, as the attribution account divides it: owner and base model are floored, the data has what is left. */
import {parseOpen} from '../format.js';

const ALL = 10_000n;
const KILO = 1000n;

/** @param {import('./state.js').Form} form @returns {bigint|null} the least fee in wei; null while a price cannot be read */
export function quoteOf(form, inputTokens, outputTokens) {
  const [call, input, output] = [form.perCall, form.perKiloInput, form.perKiloOutput].map((text) => parseOpen(String(text || '0')));
  if (call === null || input === null || output === null) return null;
  return call + (input * BigInt(inputTokens)) / KILO + (output * BigInt(outputTokens)) / KILO;
}

/** @returns {{platform: bigint, owner: bigint, lineage: bigint, data: bigint}} in wei */
export function divide(fee, platformBps, {owner, lineage, data}) {
  const bps = (percent) => BigInt(Math.round(percent * 100));
  const platform = (fee * BigInt(platformBps)) / ALL;
  const net = fee - platform;
  const mine = (net * bps(owner)) / ALL;
  const base = (net * bps(lineage)) / ALL;
  const isWhole = bps(owner) + bps(lineage) + bps(data) === ALL;
  return {platform, owner: mine, lineage: base, data: net - mine - base, isWhole};
}

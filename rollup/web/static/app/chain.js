/** Questions about blocks that several pages ask. */
import {call, has} from './rpc.js';
import {hex, num} from './format.js';

/** @returns {Promise<any[]>} the newest `count` blocks of a layer up to `newest`, that one first */
export async function newestBlocks(layer, newest, count, full = false) {
  const numbers = Array.from({length: Math.min(count, newest + 1)}, (_, index) => newest - index);
  const found = await Promise.all(numbers.map((number) => call(layer, 'eth_getBlockByNumber', [hex(number), full])));
  return found.filter(Boolean);
}

let config = null;

/** @returns {Promise<any|null>} rollup.json; null where there is no rollup node */
export function rollupConfig() {
  if (!has('node')) return Promise.resolve(null);
  config ??= call('node', 'optimism_rollupConfig', [], {quiet: true}).catch((error) => {
    config = null;
    throw error;
  });
  return config;
}

/**
 * The L2 blocks that became safe with each of these L1 blocks, from the rollup node's own record.
 *
 * @param {number[]} numbers of L1 blocks, falling by one
 * @returns {Promise<Map<number, [number, number]>>} first and last L2 block by L1 block
 */
export async function madeSafeBy(numbers) {
  if (!has('node') || !numbers.length) return new Map();
  const asked = [...numbers, numbers.at(-1) - 1].filter((number) => number >= 0);
  const heads = new Map(
    await Promise.all(
      asked.map(async (number) => [
        number,
        await call('node', 'optimism_safeHeadAtL1Block', [hex(number)]).then((found) => found.safeHead.number, () => null),
      ]),
    ),
  );
  const made = new Map();
  for (const number of numbers) {
    const [before, after] = [heads.get(number - 1) ?? 0, heads.get(number)];
    if (after !== null && after !== undefined && after > before) made.set(number, [before + 1, after]);
  }
  return made;
}

/** @param {any} state of heads @param {'l1'|'l2'} layer @param {number} number @returns {string} */
export function safetyOf(state, layer, number) {
  const heads = state?.[layer];
  if (!heads) return 'unsafe';
  if (heads.final && number <= heads.final.number) return 'finalized';
  return heads.safe && number <= heads.safe.number ? 'safe' : 'unsafe';
}

/** What a receipt's transaction cost beside its value, by component, in wei. */
export function feeParts(receipt, block, config) {
  const gas = BigInt(receipt.gasUsed);
  const execution = gas * BigInt(receipt.effectiveGasPrice ?? 0);
  const l1 = BigInt(receipt.l1Fee ?? 0);
  const scalar = BigInt(receipt.operatorFeeScalar ?? 0);
  const isJovian = config?.jovian_time !== undefined && config.jovian_time !== null && num(block.timestamp) >= config.jovian_time;
  const byGas = isJovian ? gas * scalar * 100n : (gas * scalar) / 1_000_000n;
  const operator = scalar || receipt.operatorFeeConstant ? byGas + BigInt(receipt.operatorFeeConstant ?? 0) : 0n;
  return {execution, l1, operator, total: execution + l1 + operator};
}

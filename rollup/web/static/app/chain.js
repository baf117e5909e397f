/** Questions about blocks that several pages ask. */
import {call, has} from './rpc.js';
import {hex, num} from './format.js';
import {readElsewhere} from './heads.js';
import {countedHeaders} from './headers.js';

/** @returns {Promise<any[]>} the newest `count` blocks of a layer up to `newest`, that one first */
export async function newestBlocks(layer, newest, count, full = false) {
  const numbers = Array.from({length: Math.min(count, newest + 1)}, (_, index) => newest - index);
  const found = await Promise.all(numbers.map((number) => call(layer, 'eth_getBlockByNumber', [hex(number), full])));
  return found.filter(Boolean);
}

const kept = {l1: new Map(), l2: new Map()};

/**
 * The newest blocks up to a head, for who asks again at each head: only those that are new are asked for.
 *
 * @param {'l1'|'l2'} layer
 * @param {{number: number, hash: string}} head
 * @param {number} count
 * @param {boolean} full whole blocks with their transactions, or headers with `transactionCount`: always the same for a layer
 * @returns {Promise<any[]>} that of the head first
 */
export async function followBlocks(layer, head, count, full) {
  const blocks = kept[layer];
  const numbers = Array.from({length: Math.min(count, head.number + 1)}, (_, index) => head.number - index);
  const read = async (wanted) => {
    const found = full ? await Promise.all(wanted.map((number) => call(layer, 'eth_getBlockByNumber', [hex(number), true]))) : await countedHeaders(layer, wanted);
    wanted.forEach((number, index) => (found[index] ? blocks.set(number, found[index]) : blocks.delete(number)));
  };
  await read(numbers.filter((number) => !blocks.has(number)));
  const isRead = () => isOneChain(numbers.map((number) => blocks.get(number)), head.hash);
  if (!isRead()) await read(numbers);
  if (!isRead()) readElsewhere();
  for (const number of blocks.keys()) if (number > head.number || number <= head.number - count) blocks.delete(number);
  return numbers.map((number) => blocks.get(number)).filter(Boolean);
}

function isOneChain(blocks, hash) {
  return blocks.every((block, index) => block?.hash === (index ? blocks[index - 1]?.parentHash : hash));
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

/** The safe heads by the hash of the L1 block that they belong to: those that cannot change while that block stands. */
const settled = new Map();
const MOST_SETTLED = 500;

/**
 * The L2 blocks that became safe with each of these L1 blocks, from the rollup node's own record.
 *
 * @param {{number: number, hash: string, parentHash: string}[]} blocks of L1, each the parent of the one before
 * @returns {Promise<Map<number, [number, number]>>} first and last L2 block by L1 block
 */
export async function madeSafeBy(blocks) {
  if (!has('node') || !blocks.length) return new Map();
  const last = blocks.at(-1);
  const all = [...blocks, {number: last.number - 1, hash: last.parentHash}].filter(({number}) => number >= 0);
  const heads = new Map(all.map(({number, hash}) => [number, settled.get(hash)]));
  const asked = all.filter(({hash}) => !settled.has(hash));
  const found = await Promise.all(asked.map(({number}) => call('node', 'optimism_safeHeadAtL1Block', [hex(number)]).catch(() => null)));
  // The record goes up to the L1 block of its newest answer on this chain. What it says of later blocks may change.
  const hashes = new Map(all.map(({number, hash}) => [number, hash]));
  const isHere = ({l1Block}) => hashes.get(num(l1Block.number)) === l1Block.hash || num(l1Block.number) < all.at(-1).number;
  const read = Math.max(-1, ...found.filter((item) => item && isHere(item)).map((item) => num(item.l1Block.number)));
  asked.forEach(({number, hash}, index) => {
    const item = found[index];
    heads.set(number, item && num(item.safeHead.number));
    if (item && isHere(item) && number <= read) settled.set(hash, num(item.safeHead.number));
  });
  for (const hash of settled.keys()) if (settled.size > MOST_SETTLED) settled.delete(hash);
  const made = new Map();
  for (const {number} of blocks) {
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

/** The cost of a receipt's transaction in addition to its value, by component, in wei. */
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

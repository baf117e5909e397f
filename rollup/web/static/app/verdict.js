/** What the verifier says: it derives the L2 from L1 data alone, and must arrive at the sequencer's hashes. */
import {call, has} from './rpc.js';
import {hex, num} from './format.js';

const QUIET = {quiet: true};

/**
 * @typedef {{state: 'equal'|'differs'|'waiting'|'absent', number?: number, hash?: string}} Verdict
 * `number` is the block that was compared; where they differ it is the first block that does.
 */

/** @returns {Promise<Verdict>} the two nodes compared at the lower of their safe heads */
export async function readVerdict() {
  if (!has('verifier')) return {state: 'absent'};
  const [ours, theirs] = await Promise.all([
    call('l2', 'eth_getBlockByNumber', ['safe', false], QUIET),
    call('verifier', 'eth_getBlockByNumber', ['safe', false], QUIET),
  ]);
  if (!ours || !theirs) return {state: 'waiting'};
  const number = Math.min(num(ours.number), num(theirs.number));
  const [left, right] = ours.number === theirs.number ? [ours.hash, theirs.hash] : await hashesAt(number);
  if (left === right) return {state: 'equal', number, hash: left};
  return {state: 'differs', number: await firstDifference(number)};
}

async function hashesAt(number) {
  const blocks = await Promise.all(
    ['l2', 'verifier'].map((name) => call(name, 'eth_getBlockByNumber', [hex(number), false], QUIET)),
  );
  return blocks.map((block) => block?.hash);
}

/** The lowest block with two hashes, given one that has two. */
async function firstDifference(high) {
  let low = 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const [left, right] = await hashesAt(middle);
    if (left === right) low = middle;
    else high = middle;
  }
  return high;
}

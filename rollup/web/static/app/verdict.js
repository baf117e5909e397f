/** What the verifier says: it derives the L2 from L1 data alone, and must arrive at the sequencer's hashes. */
import {call, has} from './rpc.js';
import {num} from './format.js';
import {headerAt} from './headers.js';

const QUIET = {quiet: true};

/**
 * @typedef {{state: 'equal'|'differs'|'waiting'|'absent', number?: number, hash?: string}} Verdict
 * `number` is the block that was compared; where they differ it is the first block that does.
 */

/** The last verdict and the two safe heads that it is about: it is asked for again when one of them moves. */
let last = {about: null, verdict: null};

/**
 * The two nodes compared at the lower of their safe heads.
 *
 * @param {{number: number, hash: string}} [ours] the safe heads where they are known already
 * @param {{number: number, hash: string}} [theirs]
 * @returns {Promise<Verdict>}
 */
export async function readVerdict(ours, theirs) {
  if (!has('verifier')) return {state: 'absent'};
  const pair = ours && theirs ? [ours, theirs] : await safeHeads();
  if (!pair[0] || !pair[1]) return {state: 'waiting'};
  const about = pair[0].hash + pair[1].hash;
  if (last.about !== about) last = {about, verdict: await compared(...pair)};
  return last.verdict;
}

async function safeHeads() {
  const blocks = await Promise.all(['l2', 'verifier'].map((name) => call(name, 'eth_getBlockByNumber', ['safe', false], QUIET)));
  return blocks.map((block) => block && {number: num(block.number), hash: block.hash});
}

async function compared(ours, theirs) {
  const number = Math.min(ours.number, theirs.number);
  const [left, right] = ours.number === theirs.number ? [ours.hash, theirs.hash] : await hashesAt(number);
  if (left === right) return {state: 'equal', number, hash: left};
  return {state: 'differs', number: await firstDifference(number)};
}

async function hashesAt(number) {
  const headers = await Promise.all(['l2', 'verifier'].map((name) => headerAt(name, number)));
  return headers.map((header) => header?.hash);
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

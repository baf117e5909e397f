/** Blocks that a reorganisation replaced: those that the node remembers, and those that this page saw itself. */
import {call, RpcError} from './rpc.js';
import {hex, num} from './format.js';

const MOST = 200;
const seen = {l1: new Map(), l2: new Map()};
const replaced = {l1: new Map(), l2: new Map()};

/** @param {'l1'|'l2'} layer @param {any[]} blocks as they are canonical now */
function note(layer, blocks) {
  for (const block of blocks) {
    const number = num(block.number);
    const before = seen[layer].get(number);
    if (before && before.hash !== block.hash) replaced[layer].set(before.hash, before);
    replaced[layer].delete(block.hash);
    seen[layer].set(number, block);
    if (seen[layer].size > MOST) seen[layer].delete(seen[layer].keys().next().value);
  }
}

/**
 * @param {'l1'|'l2'} layer
 * @param {number} from lowest block number
 * @param {number} to
 * @param {Promise<any[]>} blocks those that are canonical now
 * @returns {Promise<{number: number, hash: string}[]>} replaced blocks, newest first
 */
export async function orphans(layer, from, to, blocks) {
  const [items, canonical] = await Promise.all([remembered(layer, from, to), blocks]);
  note(layer, canonical);
  const found = new Map();
  for (const block of replaced[layer].values()) {
    found.set(block.hash, {number: num(block.number), hash: block.hash});
  }
  for (const item of items) {
    found.set(item.hash, {number: num(item.number), hash: item.hash});
  }
  return [...found.values()].filter((item) => item.number >= from && item.number <= to).sort((a, b) => b.number - a.number);
}

let isMissing = false;

/** Those that the node remembers; none where it has no such method. */
async function remembered(layer, from, to) {
  if (isMissing) return [];
  try {
    return await call('l2', 'openrollup_orphans', [layer, hex(from), hex(to)]);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    isMissing = error.isMissing;
    return [];
  }
}

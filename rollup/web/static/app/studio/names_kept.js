/**
 * Names of models and DataNets. The chain has the keccak256 of a name; a node that was given the name as a text says it.
 */
import {call, supports} from '../rpc.js';
import {foreign} from '../format.js';

const known = new Map();

/** @param {string} metadata 32 bytes @returns {Promise<string|null>} */
export async function nameOfHash(metadata) {
  if (/^0x0*$/.test(metadata) || !(await supports('l2', 'open_getContent'))) return null;
  if (!known.has(metadata)) {
    const text = await call('l2', 'open_getContent', [metadata], {quiet: true});
    if (text === null) return null;
    known.set(metadata, foreign(text));
  }
  return known.get(metadata);
}

/** @param {string} name @returns {Promise<string>} its hash, after the node has kept it */
export async function keepName(name) {
  return (await call('l2', 'open_putContent', [name])).contentHash;
}

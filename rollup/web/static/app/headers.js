/** Headers of blocks: a block has the hashes of all its transactions too, which are many under load. */
import {call, supports} from './rpc.js';
import {hex, num} from './format.js';

const METHOD = 'eth_getHeaderByNumber';

/**
 * The header of a block, or the whole block where the node has no method for headers.
 *
 * @param {import('./rpc.js').Endpoint} endpoint
 * @param {number} number
 * @returns {Promise<any|null>}
 */
export async function headerAt(endpoint, number) {
  const quiet = {quiet: true};
  if (await supports(endpoint, METHOD)) return call(endpoint, METHOD, [hex(number)], quiet);
  return call(endpoint, 'eth_getBlockByNumber', [hex(number), false], quiet);
}

/** The endpoints that are known to have the method. */
const known = new Set();

/**
 * Headers with the number of their transactions as `transactionCount`. The first call reads whole blocks, so that it does
 * not wait for the answer to the question which methods the node has.
 *
 * @param {import('./rpc.js').Endpoint} endpoint
 * @param {number[]} numbers
 * @returns {Promise<(any|null)[]>}
 */
export function countedHeaders(endpoint, numbers) {
  const read = known.has(endpoint) ? headerWithCount : blockWithCount;
  supports(endpoint, METHOD).then((isThere) => isThere && known.add(endpoint));
  return Promise.all(numbers.map((number) => read(endpoint, hex(number))));
}

async function headerWithCount(endpoint, number) {
  const [header, count] = await Promise.all([call(endpoint, METHOD, [number]), call(endpoint, 'eth_getBlockTransactionCountByNumber', [number])]);
  return header && {...header, transactionCount: num(count)};
}

async function blockWithCount(endpoint, number) {
  const block = await call(endpoint, 'eth_getBlockByNumber', [number, false]);
  return block && {...block, transactionCount: block.transactions.length};
}

/** The attribution account: its calls written, and its calls, events and errors read. The node says its interface. */
import {call, RpcError, supports} from './rpc.js';
import {decode, encode} from './abi.js';
import {ATTRIBUTION} from './names.js';

let loaded = null;

/** @returns {Promise<any|null>} `{functions, events, errors}`; null where the node does not say it */
export function contract() {
  loaded ??= supports('l2', 'open_interface').then((isThere) => (isThere ? call('l2', 'open_interface', [], {quiet: true}) : null));
  return loaded.catch((error) => {
    loaded = null;
    throw error;
  });
}

/** @param {string} name @param {any[]} values @returns {Promise<string>} calldata */
export async function calldata(name, values) {
  const found = (await contract()).functions.find((item) => item.name === name);
  return found.selector + encode(found.inputs, values);
}

/** @param {string} name of a view method @param {any[]} values @returns {Promise<any[]>} what it returns */
export async function view(name, values) {
  const found = (await contract()).functions.find((item) => item.name === name);
  const data = found.selector + encode(found.inputs, values);
  return decode(found.outputs, (await call('l2', 'eth_call', [{to: ATTRIBUTION, data}, 'latest'])).slice(2));
}

/** @param {any} log @returns {Promise<{name: string, values: [string, string, any][]}|null>} name, type and value of each */
export async function readLog(log) {
  const known = log.address.toLowerCase() === ATTRIBUTION ? await contract() : null;
  const event = known?.events.find((item) => item.topic === log.topics[0]);
  if (!event) return null;
  const indexed = event.inputs.filter((item) => item.indexed);
  const fromTopics = decode(indexed, log.topics.slice(1).map((topic) => topic.slice(2)).join(''));
  const fromData = decode(event.inputs.filter((item) => !item.indexed), log.data.slice(2));
  const values = event.inputs.map((item) => [item.name, item.type, (item.indexed ? fromTopics : fromData).shift()]);
  return {name: event.name, values};
}

/** @param {string} to @param {string} data @returns {Promise<{name: string, values: [string, string, any][]}|null>} */
export async function readCall(to, data) {
  if (to?.toLowerCase() !== ATTRIBUTION || data.length < 10) return null;
  const found = (await contract())?.functions.find((item) => item.selector === data.slice(0, 10));
  if (!found) return null;
  if (found.name === 'inferCompact') return readCompact(data);
  try {
    const values = decode(found.inputs, data.slice(10));
    return {name: found.name, values: found.inputs.map((item, index) => [item.name, item.type, values[index]])};
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** inferCompact packs its arguments: three numbers of four bytes, and a hash. */
function readCompact(data) {
  const number = (at) => BigInt('0x' + data.slice(at, at + 8));
  if (data.length !== 98) return null;
  return {
    name: 'inferCompact',
    values: [
      ['modelId', 'uint32', number(10)],
      ['inputTokens', 'uint32', number(18)],
      ['outputTokens', 'uint32', number(26)],
      ['record', 'bytes32', '0x' + data.slice(34)],
    ],
  };
}

/**
 * The account's typed error in an error of the node.
 *
 * @param {any} error
 * @returns {Promise<{name: string, values: Record<string, any>}|null>}
 */
export async function typedError(error) {
  const data = error instanceof RpcError ? error.data : error?.data?.data ?? error?.data;
  if (typeof data !== 'string' || data.length < 10) return null;
  const found = (await contract())?.errors.find((item) => item.selector === data.slice(0, 10));
  if (!found) return null;
  const values = decode(found.inputs, data.slice(10));
  return {name: found.name, values: Object.fromEntries(found.inputs.map((item, index) => [item.name, values[index]]))};
}

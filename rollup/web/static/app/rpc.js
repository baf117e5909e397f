/**
 * JSON-RPC over POST. Calls made in the same turn to the same endpoint go out as one batch.
 *
 * @typedef {'l1'|'l2'|'node'|'verifier'} Endpoint
 */
import {signal} from '../vendor/signals-core.js';

const PATHS = {l2: '/', l1: '/rpc/l1', node: '/rpc/node', verifier: '/rpc/verifier'};
const NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const MOST_RECORDED = 40;
const present = new Set((document.querySelector('meta[name=endpoints]')?.content ?? '').split(' '));

/** An answer with an error: `code` and `data` are those of JSON-RPC. */
export class RpcError extends Error {
  constructor({message, code, data}) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** Whether the node has no such method. */
  get isMissing() {
    return this.code === NOT_FOUND;
  }
}

/** The calls that the current page made, for "as curl": a signal of `{endpoint, method, params}`. */
export const recorded = signal([]);

/** @param {Endpoint} endpoint @returns {boolean} whether this port has it */
export const has = (endpoint) => endpoint === 'l2' || present.has(endpoint);

/** @param {Endpoint} endpoint @returns {string} where it answers, as a URL */
export const urlOf = (endpoint) => location.origin + PATHS[endpoint];

const queues = new Map();
let lastId = 0;

/**
 * Calls a method.
 *
 * @param {Endpoint} endpoint
 * @param {string} method
 * @param {unknown[]} [params]
 * @param {{quiet?: boolean}} [options] quiet: not shown under "as curl"
 * @returns {Promise<any>} the result; rejects with RpcError, or with Error where nobody answers
 */
export function call(endpoint, method, params = [], {quiet = false} = {}) {
  if (!has(endpoint)) {
    return Promise.reject(new RpcError({message: `this page knows no ${endpoint}`, code: NOT_FOUND}));
  }
  if (!quiet) record(endpoint, method, params);
  return new Promise((resolve, reject) => {
    if (!queues.has(endpoint)) {
      queues.set(endpoint, []);
      queueMicrotask(() => send(endpoint));
    }
    queues.get(endpoint).push({resolve, reject, body: {jsonrpc: '2.0', id: ++lastId, method, params}});
  });
}

const known = new Map();

/** More parameters than any method takes: who has the method refuses them and does nothing. */
const TOO_MANY = Array(12).fill(null);

/** Asks for a method once, with more parameters than it can take, so that nothing is done. */
function probe(endpoint, method) {
  const key = `${endpoint} ${method}`;
  if (!known.has(key)) {
    const asked = call(endpoint, method, TOO_MANY, {quiet: true}).then(
      () => ({isThere: true, refusal: null}),
      (error) => {
        if (!(error instanceof RpcError)) known.delete(key);
        const isThere = error instanceof RpcError && !error.isMissing;
        return {isThere, refusal: isThere && error.code !== INVALID_PARAMS ? error.message : null};
      },
    );
    known.set(key, asked);
  }
  return known.get(key);
}

/** @param {Endpoint} endpoint @param {string} method @returns {Promise<boolean>} whether the endpoint has the method */
export const supports = async (endpoint, method) => (await probe(endpoint, method)).isThere;

/** @param {Endpoint} endpoint @param {string} method @returns {Promise<string|null>} why a method that is there refuses all calls */
export const refusalOf = async (endpoint, method) => (await probe(endpoint, method)).refusal;

/** One of each kind is kept, the newest: sixteen blocks are sixteen calls that differ in a number. */
function record(endpoint, method, params) {
  const kinds = params.map((item) => (typeof item === 'string' ? '' : (item?.data?.slice(0, 10) ?? JSON.stringify(item))));
  const key = `${endpoint} ${method} ${kinds.join()}`;
  const calls = recorded.peek();
  const at = calls.findIndex((item) => item.key === key);
  const entry = {key, endpoint, method, params};
  if (at >= 0) recorded.value = calls.with(at, entry);
  else if (calls.length < MOST_RECORDED) recorded.value = [...calls, entry];
}

async function send(endpoint) {
  const calls = queues.get(endpoint);
  queues.delete(endpoint);
  const bodies = calls.map((item) => item.body);
  let answers;
  try {
    const response = await fetch(PATHS[endpoint], {
      method: 'POST',
      headers: {'Content-Type': 'application/json'},
      body: JSON.stringify(bodies.length === 1 ? bodies[0] : bodies),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
    answers = await response.json();
  } catch (error) {
    for (const item of calls) item.reject(new Error(`no answer from the node: ${error.message}`));
    return;
  }
  const byId = new Map((Array.isArray(answers) ? answers : [answers]).map((answer) => [answer.id, answer]));
  for (const {body, resolve, reject} of calls) {
    const answer = byId.get(body.id);
    if (answer === undefined) reject(new Error('the node left a call of a batch unanswered'));
    else if (answer.error) reject(new RpcError(answer.error));
    else resolve(answer.result);
  }
}

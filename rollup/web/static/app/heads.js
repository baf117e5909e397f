/**
 * The heads of both layers, kept up to date: a WebSocket says that there is a new L2 block, and a timer asks in any case,
 * so that a socket that is lost for a while loses nothing.
 */
import {signal} from '../vendor/signals-core.js';
import {call, has} from './rpc.js';
import {num} from './format.js';
import {readVerdict} from './verdict.js';

/** @typedef {{number: number, hash: string, time: number}} Head */

const EVERY = 2000;
const AT_MOST_EVERY = 250;
const STALE_AFTER = 6000;
const MOST_SAMPLES = 1800;
const QUIET = {quiet: true};

/** `{l1: {head, safe, final}, l2: {head, safe, final}, isSequencing}`, or null before the first answer. */
export const heads = signal(null);
/** @type {import('../vendor/signals-core.js').Signal<import('./verdict.js').Verdict>} */
export const verdict = signal({state: 'waiting'});
/** Counts the changes of a head: what depends on it reads again. */
export const tick = signal(0);
export const isPaused = signal(false);
/** Since when nobody answers: null while somebody does. */
export const silence = signal(null);
/** What was seen of the heads, for the chart of the control room: `{time, l1, unsafe, safe, final, verifier}`. */
export const samples = [];

let isBusy = false;
let isWanted = false;
let lastAt = 0;

/** Begins; called once. */
export function follow() {
  refresh();
  setInterval(() => isPaused.peek() || refresh(), EVERY);
  listen(AT_MOST_EVERY);
}

/** Asks for the heads now, or as soon as the question under way is answered. */
export async function refresh() {
  if (isBusy) {
    isWanted = true;
    return;
  }
  isBusy = true;
  const wait = lastAt + AT_MOST_EVERY - performance.now();
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  lastAt = performance.now();
  try {
    const [found, judged] = await Promise.all([readHeads().then(show), readVerdict()]);
    silence.value = null;
    verdict.value = judged;
    sample(found, judged);
  } catch {
    if (silence.peek() === null) silence.value = Date.now();
  }
  isBusy = false;
  if (isWanted) {
    isWanted = false;
    refresh();
  }
}

/** @returns {boolean} whether the heads may be old by now */
export const isStale = () => silence.value !== null && Date.now() - silence.value > STALE_AFTER - EVERY;

/** Shows the heads. They do not wait for the verdict, which may take two rounds of questions. */
function show(found) {
  const key = (state) => JSON.stringify([state?.l1, state?.l2]);
  const hasMoved = key(heads.peek()) !== key(found);
  heads.value = found;
  if (hasMoved) tick.value += 1;
  return found;
}

function sample(found, judged) {
  samples.push({
    time: Date.now() / 1000,
    l1: found.l1?.head?.number ?? null,
    unsafe: found.l2.head.number,
    safe: found.l2.safe?.number ?? null,
    final: found.l2.final?.number ?? null,
    verifier: judged.state === 'equal' ? judged.number : null,
  });
  if (samples.length > MOST_SAMPLES) samples.shift();
}

async function readHeads() {
  return has('node') ? fromRollupNode() : fromBlocks();
}

async function fromRollupNode() {
  const [status, active] = await Promise.all([
    call('node', 'optimism_syncStatus', [], QUIET),
    call('node', 'admin_sequencerActive', [], QUIET).catch(() => null),
  ]);
  const head = (ref) => ref && {number: ref.number, hash: ref.hash, time: ref.timestamp};
  return {
    l1: {head: head(status.head_l1), safe: head(status.safe_l1), final: head(status.finalized_l1)},
    l2: {head: head(status.unsafe_l2), safe: head(status.safe_l2), final: head(status.finalized_l2)},
    isSequencing: active,
  };
}

async function fromBlocks() {
  const layers = has('l1') ? ['l1', 'l2'] : ['l2'];
  const found = {l1: null, isSequencing: null};
  for (const layer of layers) {
    const [head, safe, final] = await Promise.all(
      ['latest', 'safe', 'finalized'].map((tag) =>
        call(layer, 'eth_getBlockByNumber', [tag, false], QUIET).catch(() => null),
      ),
    );
    if (!head) throw new Error(`no answer from ${layer}`);
    const ref = (block) => block && {number: num(block.number), hash: block.hash, time: num(block.timestamp)};
    found[layer] = {head: ref(head), safe: ref(safe), final: ref(final)};
  }
  return found;
}

/** Opens the socket, and again after it is lost: after a quarter of a second first, after eight seconds at most. */
function listen(delay) {
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/');
  let isOpen = false;
  socket.onopen = () => {
    isOpen = true;
    socket.send(JSON.stringify({jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads']}));
    if (!isPaused.peek()) refresh();
  };
  socket.onmessage = () => isPaused.peek() || refresh();
  socket.onclose = () => setTimeout(listen, delay, isOpen ? AT_MOST_EVERY : Math.min(2 * delay, 8000));
}

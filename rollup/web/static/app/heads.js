/**
 * The heads of both layers, kept up to date: a WebSocket says that there is a new L2 block, and a timer asks in any case,
 * so that a socket that is lost for a while loses nothing. A page that is not seen asks seldom.
 */
import {signal} from '../vendor/signals-core.js';
import {call, has, RpcError} from './rpc.js';
import {num} from './format.js';
import {readVerdict} from './verdict.js';

/** @typedef {{number: number, hash: string, time: number}} Head */

const EVERY = 2000;
const EVERY_UNSEEN = 15_000;
const EVERY_SLOW = 10_000;
const AT_MOST_EVERY = 500;
const RECONNECT_AFTER = 250;
const PATIENCE = 15_000;
const MOST_SAMPLES = 1800;
const QUIET = {quiet: true};

/** `{l1: {head, safe, final}, l2: {head, safe, final}, isActive: {sequencer, …}}`, or null before the first answer. */
export const heads = signal(null);
/** @type {import('../vendor/signals-core.js').Signal<import('./verdict.js').Verdict>} */
export const verdict = signal({state: has('verifier') ? 'waiting' : 'absent'});
/** Counts the changes of a head: what depends on it reads again. */
export const tick = signal(0);
/** The same for what costs the node much to answer or seldom changes: it reads again at most each ten seconds. */
export const slowTick = signal(0);
/** Counts the answers: what can change while no head moves, such as the events, reads again. */
export const answers = signal(0);
export const isPaused = signal(false);
/** Since when nobody answers, and why: null while somebody does. */
export const silence = signal(null);
/** What was seen of the heads, for the chart of the control room: `{time, l1, unsafe, safe, final, verifier}`. */
export const samples = [];

let isBusy = false;
let isWanted = false;
let isJudging = false;
let lastAt = -Infinity;
let slowAt = -Infinity;
let isSlowDue = false;
let hasStatus = true;
/** How many moves of the L2 head are known by other means than the answers, and how many of them the tick has followed. */
let movesKnown = 0;
let movesFollowed = 0;
/** The block of the last message of the socket. */
let announced = null;

/** Begins; called once. @returns {Promise<void>} the first answer */
export function follow() {
  const sent = document.querySelector('meta[name=heads]')?.content;
  const first = sent ? begin(fromStatus(JSON.parse(sent))) : refresh();
  setInterval(() => isDue() && refresh(), EVERY / 4);
  document.addEventListener('visibilitychange', () => isDue() && refresh());
  listen(RECONNECT_AFTER);
  return first;
}

/** The node sent the heads with the page: they are the first answer. */
async function begin(found) {
  lastAt = performance.now();
  take(found, 0);
}

/** Whether the heads are to be asked for though nobody said that they moved. */
function isDue() {
  return !isPaused.peek() && performance.now() - lastAt >= (document.hidden ? EVERY_UNSEEN : EVERY);
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
  const moves = movesKnown;
  try {
    const found = await inTime(readHeads());
    if (isPaused.peek() && heads.peek() !== null) return;
    take(found, moves);
  } catch (error) {
    if (silence.peek() === null) silence.value = {since: Date.now(), reason: error.message};
  } finally {
    isBusy = false;
    if (isWanted) {
      isWanted = false;
      refresh();
    }
  }
}

/** An answer arrived. */
function take(found, moves) {
  show(found, moves);
  judge(found);
  silence.value = null;
  sample(found, verdict.peek());
  answers.value += 1;
}

/** Stops the live updates, or continues them. */
export function pause(isWanted) {
  isPaused.value = isWanted;
  if (!isWanted) refresh();
}

/** A missing answer counts as no node: the connection may be open without a node behind it. */
function inTime(answer) {
  return Promise.race([answer, new Promise((_, fail) => setTimeout(() => fail(new Error('no answer in time')), PATIENCE))]);
}

/** Has the verdict read. The heads do not wait for it, nor for a verifier that does not answer. */
async function judge({l2, verifier}) {
  if (isJudging) return;
  isJudging = true;
  try {
    verdict.value = await inTime(readVerdict(l2.safe, verifier));
  } catch {
    verdict.value = {state: 'waiting'};
  }
  isJudging = false;
}

/**
 * Shows the heads, where they changed. The tick moves too where the head moved and came back between two questions:
 * what was read meanwhile is not of this chain.
 */
function show({l1, l2, isActive}, moves) {
  const found = {l1, l2, isActive};
  const before = heads.peek();
  if (JSON.stringify(found) !== JSON.stringify(before)) heads.value = found;
  if (moves === movesFollowed && JSON.stringify([l1, l2]) === JSON.stringify([before?.l1, before?.l2])) return;
  movesFollowed = moves;
  tick.value += 1;
  tickSlowly();
}

/** Moves the slow tick now, or when its ten seconds are over: the last move of a head is never missed. */
function tickSlowly() {
  if (isSlowDue) return;
  isSlowDue = true;
  setTimeout(() => {
    isSlowDue = false;
    slowAt = performance.now();
    slowTick.value += 1;
  }, Math.max(slowAt + EVERY_SLOW - performance.now(), 0));
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

/** One question where the node has `openrollup_status`, which answers for both layers and the verifier. */
async function readHeads() {
  if (!has('node')) return fromBlocks();
  if (!hasStatus) return fromRollupNode();
  try {
    return fromStatus(await call('node', 'openrollup_status', [], QUIET));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    hasStatus = !error.isMissing;
    return fromRollupNode();
  }
}

const headOf = (ref) => ref && {number: ref.number, hash: ref.hash, time: ref.timestamp};

function fromStatus({chains, isActive}) {
  const layer = ({unsafe, safe, finalized}) => ({head: headOf(unsafe), safe: headOf(safe), final: headOf(finalized)});
  return {l1: layer(chains.l1), l2: layer(chains.l2), verifier: headOf(chains.verifier.safe), isActive};
}

/** A rollup node that does not answer is left out: the chains themselves say their heads. */
async function fromRollupNode() {
  const [status, active] = await Promise.all([
    call('node', 'optimism_syncStatus', [], QUIET).catch(() => null),
    call('node', 'admin_sequencerActive', [], QUIET).catch(() => null),
  ]);
  if (!status) return fromBlocks();
  return {
    l1: {head: headOf(status.head_l1), safe: headOf(status.safe_l1), final: headOf(status.finalized_l1)},
    l2: {head: headOf(status.unsafe_l2), safe: headOf(status.safe_l2), final: headOf(status.finalized_l2)},
    isActive: active === null ? {} : {sequencer: active},
  };
}

async function fromBlocks() {
  const [l2, l1] = await Promise.all([headsOf('l2'), has('l1') ? headsOf('l1').catch(() => null) : null]);
  return {l1, l2, isActive: {}};
}

/** The heads that a chain itself says; rejects where it does not answer. */
async function headsOf(layer) {
  const block = (tag) => call(layer, 'eth_getBlockByNumber', [tag, false], QUIET);
  const found = await Promise.all([block('latest'), block('safe').catch(() => null), block('finalized').catch(() => null)]);
  const [head, safe, final] = found.map((item) => item && {number: num(item.number), hash: item.hash, time: num(item.timestamp)});
  return {head, safe, final};
}

/** Opens the socket, and again after it is lost: after a quarter of a second first, after eight seconds at most. */
function listen(delay, isAgain = false) {
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/');
  let isOpen = false;
  socket.onopen = () => {
    isOpen = true;
    socket.send(JSON.stringify({jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads']}));
    if (isAgain) headMoved();
    else if (heads.peek() !== null) ask();
  };
  socket.onmessage = ({data}) => onMessage(JSON.parse(data));
  socket.onclose = () => setTimeout(listen, delay, isOpen ? RECONNECT_AFTER : Math.min(2 * delay, 8000), true);
}

/** A block that is already shown is not new, unless the socket repeats it: then the head had left it in between. */
function onMessage({params}) {
  const hash = params?.result?.hash;
  if (!hash) return;
  const isKnown = hash !== announced && hash === heads.peek()?.l2.head.hash;
  announced = hash;
  if (isKnown) ask();
  else headMoved();
}

/** Says that the L2 head moved: what depends on it reads again, though the next answer may have the head of before. */
export function headMoved() {
  movesKnown += 1;
  ask();
}

/**
 * Says that the blocks that were read are not those of the heads that are shown: the chain moved meanwhile. What depends
 * on the heads reads again at the next answer, also where it has the same heads, because the chain moved back.
 */
export function readElsewhere() {
  movesKnown += 1;
}

function ask() {
  if (!isPaused.peek() && !document.hidden) refresh();
}

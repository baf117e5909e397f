/** What was done here and what came of it: each action, and how long it took until the verifier agreed again. */
import {effect, signal} from '../../vendor/signals-core.js';
import {heads, verdict} from '../heads.js';

const MOST = 100;

/** `{id, time, words, target, healed, kind}`, newest last. `target` is the L2 block that must be equal again. */
export const log = signal([]);
let lastId = 0;
let before = null;

/** The moment before an action: what heals is measured from it, up to the L2 head that there was. */
export const moment = () => ({time: Date.now() / 1000, head: heads.peek()?.l2.head.number ?? null});

/**
 * @param {string} words
 * @param {{heals?: boolean, kind?: 'action'|'seen'|'bad', since?: {time: number, head: number|null}}} [options]
 */
export function note(words, {heals = false, kind = 'action', since = moment()} = {}) {
  const entry = {id: ++lastId, time: since.time, words, kind, target: heals ? since.head : null, healed: null};
  log.value = [...log.peek().slice(1 - MOST), entry];
}

/** Watches the heads: what heals is measured, and a head that goes back is written down. */
export function watch() {
  return effect(() => {
    const state = heads.value;
    const {state: word, number} = verdict.value;
    if (!state) return;
    for (const layer of ['l1', 'l2']) {
      const [now, then] = [state[layer]?.head, before?.[layer]?.head];
      if (now && then && now.number < then.number) note(`${layer.toUpperCase()} head went back from #${then.number} to #${now.number}`, {kind: 'seen'});
    }
    before = state;
    const now = Date.now() / 1000;
    const waiting = log.peek().filter((item) => item.target !== null && item.healed === null);
    // Without a verifier the sequencer's own safe head has to do.
    const reached = word === 'equal' ? number : word === 'absent' ? state.l2.safe?.number : undefined;
    if (reached !== undefined && waiting.some((item) => reached >= item.target)) {
      const healed = (item) => ({seconds: now - item.time, number: reached, isVerified: word === 'equal'});
      log.value = log.peek().map((item) => (waiting.includes(item) && reached >= item.target ? {...item, healed: healed(item)} : item));
    }
  });
}

/** What the Studio holds while the reader goes through its steps; it stays while other pages are open. */
import {signal} from '../../vendor/signals-core.js';

/**
 * @typedef {{id: number, name: string, text: string, contributor: string, units: 'tokens'|'equal'|number,
 *   contentHash?: string, tokens?: number, problem?: string}} DroppedText
 * @typedef {{name: string, baseModel: number, attributor: string, perCall: string, perKiloInput: string,
 *   perKiloOutput: string, owner: number, lineage: number, data: number, weights: {id: number, weight: number}[]}} Form
 * prices are in OPEN, shares in percent.
 */

/** @type {import('../../vendor/signals-core.js').Signal<DroppedText[]>} */
export const texts = signal([]);
/** The DataNet that the texts go to: null for a new one. */
export const target = signal(null);
/** What was created here last, as ids. */
export const made = signal({datanet: null, model: null});

/** @type {import('../../vendor/signals-core.js').Signal<Form>} */
export const form = signal({
  name: '',
  baseModel: 0,
  attributor: '',
  perCall: '0.01',
  perKiloInput: '0.001',
  perKiloOutput: '0.004',
  owner: 30,
  lineage: 0,
  data: 70,
  weights: [],
});

/** The run: what was asked, what was answered, the texts that were given with it, its trace, and the transaction that paid for it. */
export const run = signal({modelId: null, prompt: '', answer: '', source: '', retrieved: [], trace: null, hash: null});

/** @param {Partial<Form>} change */
export const change = (change) => (form.value = {...form.peek(), ...change});

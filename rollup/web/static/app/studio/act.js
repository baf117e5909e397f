/** A button that does something on the chain: busy while it runs, and its errors in words. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {isRejection, signer} from '../wallet.js';
import {typedError} from '../contract.js';
import {exactOpen, foreign} from '../format.js';

/** What each typed error means to who sees it here. */
const WORDS = {
  FeeTooLow: ({given, required}) => `The price is ${exactOpen(required)} OPEN now, more than the ${exactOpen(given)} OPEN that were offered. Try again.`,
  InvalidNonce: () => 'Another inference of this account came first. Try again.',
  DuplicateContent: ({contentHash}) => `The text ${contentHash.slice(0, 10)}… is registered in this DataNet already; each is registered once.`,
  Unauthorized: ({caller}) => `${caller.slice(0, 10)}… may not do this: it belongs to another account.`,
  InvalidSplit: () => 'The shares must sum to 100 %, and a share for the base model needs a base model.',
  InvalidWeights: () => 'Choose at least one DataNet with a weight above 0.',
  UnknownDatanet: ({datanetId}) => `There is no DataNet ${datanetId}.`,
  UnknownModel: ({modelId}) => `There is no model ${modelId}.`,
  Expired: () => 'The attestation is too old. Try again.',
  InvalidSignature: () => 'The attestation was not signed by the attributor of the model.',
  NothingToClaim: () => 'There is nothing to claim.',
  PayoutFailed: () => 'The recipient refuses the payment. Choose another one.',
};

/** @param {any} error @returns {Promise<string>} */
export async function inWords(error) {
  const typed = await typedError(error).catch(() => null);
  if (typed) return WORDS[typed.name]?.(typed.values) ?? `The attribution account refused: ${typed.name}.`;
  return foreign(error?.message ?? String(error));
}

/**
 * @param {{label: any, onAct: () => Promise<void>, disabled?: boolean, isPrimary?: boolean, kind?: string, why?: string,
 *   needsSigner?: boolean}} props why: shown next to a button that is disabled
 */
export function Act({label, onAct, disabled = false, isPrimary = true, kind = '', why, needsSigner = true}) {
  const [state, setState] = useState({isBusy: false, problem: ''});
  const act = async () => {
    setState({isBusy: true, problem: ''});
    let problem = '';
    try {
      await onAct();
    } catch (error) {
      if (!isRejection(error)) problem = await inWords(error);
    }
    setState({isBusy: false, problem});
  };
  const lacks = needsSigner && !signer.value;
  return html`<div class="after">
    <div class="inline center">
      <button type="button" class=${`${isPrimary ? 'primary' : ''} ${kind}`} disabled=${disabled || state.isBusy || lacks} aria-busy=${state.isBusy} onClick=${act}>${state.isBusy ? 'Working…' : label}</button>
      ${(lacks || (disabled && why)) && html`<span class="note">${lacks ? 'Connect a wallet first.' : why}</span>`}
    </div>
    <div role="alert">${state.problem && html`<p class="failure after">${state.problem}</p>`}</div>
  </div>`;
}

/** The attributor's word for one inference (EIP-712), signed by the node or by the connected wallet. */
import {call} from '../rpc.js';
import {calldata, view} from '../contract.js';
import {accounts, chainId, send, signer, signTyped} from '../wallet.js';
import {ATTRIBUTION} from '../names.js';
import {num} from '../format.js';

const HOLDS = 3600;
const MEMBERS = [
  ['modelId', 'uint64'],
  ['payer', 'address'],
  ['nonce', 'uint64'],
  ['deadline', 'uint64'],
  ['inputTokens', 'uint32'],
  ['outputTokens', 'uint32'],
  ['requestHash', 'bytes32'],
  ['responseHash', 'bytes32'],
  ['evidence', 'bytes32'],
  ['influence', 'uint256[]'],
];
const DOMAIN = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
];
const typed = (rows) => rows.map(([name, type]) => ({name, type}));

/** @param {string} attributor @returns {boolean} whether somebody here can sign for it */
export function canSign(attributor) {
  const who = attributor.toLowerCase();
  return accounts.peek().includes(who) || signer.peek()?.address.toLowerCase() === who;
}

/**
 * Pays for an inference whose fee goes to those whose texts the trace found.
 *
 * @param {any} model
 * @param {any} trace of open_trace
 * @param {{influence: string[], evidence: string}} found what it found: the trace itself, or its `related`
 * @param {bigint} fee
 * @returns {Promise<any>} the receipt
 */
export async function payAttested(model, trace, found, fee) {
  const payer = signer.peek().address;
  const [[nonce], head] = await Promise.all([view('nonces', [payer]), call('l2', 'eth_getBlockByNumber', ['latest', false])]);
  const attestation = {
    modelId: num(model.modelId),
    payer,
    nonce: num(nonce),
    deadline: num(head.timestamp) + HOLDS,
    inputTokens: num(trace.inputTokens),
    outputTokens: num(trace.outputTokens),
    requestHash: trace.requestHash,
    responseHash: trace.responseHash,
    evidence: found.evidence,
  };
  const message = {...attestation, influence: found.influence.map((word) => BigInt(word).toString())};
  const signature = await signTyped(model.attributor, {
    types: {EIP712Domain: typed(DOMAIN), Attestation: typed(MEMBERS)},
    primaryType: 'Attestation',
    domain: {name: 'OpenAttribution', version: '1', chainId: chainId.peek(), verifyingContract: ATTRIBUTION},
    message,
  });
  return send({to: ATTRIBUTION, data: await calldata('inferAttested', [attestation, found.influence, signature]), value: fee});
}

/** Pays for an inference at the model's default weights. @returns {Promise<any>} the receipt */
export async function payDefault(model, trace, fee) {
  const values = [num(model.modelId), num(trace.inputTokens), num(trace.outputTokens), trace.requestHash, trace.responseHash];
  return send({to: ATTRIBUTION, data: await calldata('infer', values), value: fee});
}

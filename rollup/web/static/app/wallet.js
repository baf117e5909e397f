/**
 * Who signs: a development account, whose key stays in the node, or a wallet of the browser (EIP-6963, EIP-1193).
 * No private key is ever in a page.
 *
 * @typedef {{kind: 'node'|'wallet', address: string, name: string, provider?: any}} Signer
 */
import {signal} from '../vendor/signals-core.js';
import {call, RpcError} from './rpc.js';
import {hex, num} from './format.js';
import {headMoved} from './heads.js';
import {learn} from './names.js';

const REJECTED = 4001;
const UNKNOWN_CHAIN = 4902;
const RECEIPT_EVERY = 500;
const RECEIPT_WITHIN = 120_000;

/** The node's own accounts. */
export const accounts = signal([]);
/** Wallets that announced themselves: `{info, provider}`. */
export const wallets = signal([]);
/** @type {import('../vendor/signals-core.js').Signal<Signer|null>} */
export const signer = signal(null);
export const chainId = signal(null);
/** Counts the transactions of this page that are in a block. */
export const included = signal(0);

/** Asks the node for its accounts and the browser for its wallets; called once. */
export async function findAccounts() {
  addEventListener('eip6963:announceProvider', (event) => {
    const {info, provider} = event.detail;
    if (!wallets.peek().some((item) => item.info.uuid === info.uuid)) {
      wallets.value = [...wallets.peek(), {info, provider}];
    }
  });
  dispatchEvent(new Event('eip6963:requestProvider'));
  if (window.ethereum && wallets.peek().length === 0) {
    wallets.value = [{info: {uuid: 'injected', name: 'Browser wallet'}, provider: window.ethereum}];
  }
  try {
    const [found, chain] = await Promise.all([
      call('l2', 'eth_accounts', [], {quiet: true}),
      call('l2', 'eth_chainId', [], {quiet: true}),
    ]);
    chainId.value = num(chain);
    accounts.value = found;
    learn(Object.fromEntries(found.map((address, index) => [address, `Dev account ${index}`])));
    if (signer.peek() === null && found.length) useAccount(0);
  } catch {
    setTimeout(findAccounts, 4 * RECEIPT_EVERY);
  }
}

/** @param {number} index of a development account */
export function useAccount(index) {
  signer.value = {kind: 'node', address: accounts.peek()[index], name: `Dev account ${index}`};
}

/** Connects a wallet of the browser; adds this chain to it where it does not know it. */
export async function connect({info, provider}) {
  const [address] = await provider.request({method: 'eth_requestAccounts'});
  await onThisChain(provider);
  const use = (found) => {
    signer.value = found ? {kind: 'wallet', address: found.toLowerCase(), name: info.name, provider} : null;
  };
  use(address);
  provider.on?.('accountsChanged', ([next]) => use(next));
  provider.on?.('disconnect', () => use(null));
}

async function onThisChain(provider) {
  const wanted = hex(chainId.peek());
  if ((await provider.request({method: 'eth_chainId'})) === wanted) return;
  try {
    await provider.request({method: 'wallet_switchEthereumChain', params: [{chainId: wanted}]});
  } catch (error) {
    if (error.code !== UNKNOWN_CHAIN) throw error;
    const network = {
      chainId: wanted,
      chainName: `openrollup ${chainId.peek()}`,
      nativeCurrency: {name: 'OPEN', symbol: 'OPEN', decimals: 18},
      rpcUrls: [location.origin + '/'],
    };
    await provider.request({method: 'wallet_addEthereumChain', params: [network]});
  }
}

/** @param {any} error @returns {boolean} whether the user refused in the wallet, which is not an error */
export const isRejection = (error) => error?.code === REJECTED;

/**
 * Sends a transaction of the signer and waits until it is in a block.
 *
 * @param {{to: string, data?: string, value?: bigint}} wanted
 * @returns {Promise<any>} the receipt; rejects with the node's error where it would fail
 */
export async function send({to, data = '0x', value = 0n}) {
  const {address, kind, provider} = signer.peek();
  const transaction = {from: address, to, data, value: hex(value)};
  transaction.gas = await call('l2', 'eth_estimateGas', [transaction]);
  let hash;
  if (kind === 'wallet') {
    await onThisChain(provider);
    hash = await provider.request({method: 'eth_sendTransaction', params: [transaction]});
  } else {
    hash = await call('l2', 'eth_sendTransaction', [transaction]);
  }
  return receiptOf(hash);
}

/** @param {string} hash @returns {Promise<any>} */
export async function receiptOf(hash) {
  const end = performance.now() + RECEIPT_WITHIN;
  while (performance.now() < end) {
    const receipt = await call('l2', 'eth_getTransactionReceipt', [hash], {quiet: true});
    if (receipt) {
      headMoved();
      included.value += 1;
      if (num(receipt.status) !== 1) throw new RpcError({message: `transaction ${hash} failed`});
      return receipt;
    }
    await new Promise((done) => setTimeout(done, RECEIPT_EVERY));
  }
  throw new Error(`transaction ${hash} is in no block after two minutes: is the sequencer on?`);
}

/** @returns {Promise<string>} a signature of typed data (EIP-712) by `account`, which is the signer or the node's */
export function signTyped(account, typed) {
  const {address, kind, provider} = signer.peek();
  if (kind === 'wallet' && account.toLowerCase() === address.toLowerCase()) {
    return provider.request({method: 'eth_signTypedData_v4', params: [account, JSON.stringify(typed)]});
  }
  return call('l2', 'eth_signTypedData_v4', [account, typed]);
}

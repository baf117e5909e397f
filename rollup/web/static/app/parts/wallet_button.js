/** Who signs, with its balance, and a list to choose another. */
import {html} from '../html.js';
import {useEffect, useRef} from '../../vendor/preact-hooks.js';
import {accounts, connect, included, isRejection, signer, useAccount, wallets} from '../wallet.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {foreign, short} from '../format.js';
import {Amount} from './values.js';
import {say} from './toasts.js';

function Balance({address}) {
  const beat = included.value;
  const data = useData(() => call('l2', 'eth_getBalance', [address, 'latest'], {quiet: true}), [address], {live: 'slowly', beat});
  return data.value === undefined ? '' : html`<${Amount} wei=${data.value} />`;
}

/** Closes the list at Escape and at a click outside it. */
function useClosing(box) {
  useEffect(() => {
    const outside = (event) => box.current?.contains(event.target) || box.current?.removeAttribute('open');
    const escape = (event) => event.key === 'Escape' && box.current?.removeAttribute('open');
    document.addEventListener('click', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('click', outside);
      document.removeEventListener('keydown', escape);
    };
  }, []);
}

export function WalletButton() {
  const box = useRef(null);
  useClosing(box);
  const current = signer.value;
  const pick = (choose) => async () => {
    box.current.removeAttribute('open');
    try {
      await choose();
    } catch (error) {
      if (!isRejection(error)) say(foreign(error.message ?? String(error)), 'bad');
    }
  };
  if (!accounts.value.length && !wallets.value.length) return null;
  return html`<details class="wallet" ref=${box}>
    <summary>${
      current
        ? html`<span class="wallet-name">${foreign(current.name)}</span> <span class="wallet-balance"><${Balance} address=${current.address} key=${current.address} /></span>`
        : 'Connect'
    }</summary>
    <ul class="menu">
      ${wallets.value.map(
        (item) => html`<li><button type="button" onClick=${pick(() => connect(item))}>Connect ${foreign(item.info.name)}</button></li>`,
      )}
      ${accounts.value.map(
        (address, index) => html`<li><button type="button" aria-current=${current?.address === address ? 'true' : null} onClick=${pick(() => useAccount(index))}>
          <span>Dev account ${index}</span><span class="mono quiet">${short(address)}</span></button></li>`,
      )}
      <li class="note">The keys of development accounts are public and stay in the node.</li>
    </ul>
  </details>`;
}

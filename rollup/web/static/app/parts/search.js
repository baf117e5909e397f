/** Finds a block, a transaction, an address, a model or a DataNet by what is typed. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, has} from '../rpc.js';
import {go} from '../routes.js';

const LAYERS = ['l2', 'l1'];

/** @param {string} text @returns {Promise<string|null>} where it is; null if nowhere */
async function find(text) {
  const named = /^(model|datanet)\s*(\d+)$/i.exec(text);
  if (named) return named[1].toLowerCase() === 'model' ? `#/usage/${named[2]}` : `#/datanet/${named[2]}`;
  const number = /^(?:(l1|l2)\s*)?#?(\d+)$/i.exec(text.replaceAll(',', ''));
  if (number) return `#/${(number[1] ?? 'l2').toLowerCase()}/block/${BigInt(number[2])}`;
  if (/^0x[0-9a-f]{40}$/i.test(text)) return `#/l2/address/${text}`;
  if (!/^0x[0-9a-f]{64}$/i.test(text)) return null;
  for (const layer of LAYERS.filter(has)) {
    const quiet = {quiet: true};
    const [transaction, block] = await Promise.all([
      call(layer, 'eth_getTransactionByHash', [text], quiet),
      call(layer, 'eth_getBlockByHash', [text, false], quiet),
    ]);
    if (transaction) return `#/${layer}/tx/${text}`;
    if (block) return `#/${layer}/block/${text}`;
  }
  return null;
}

export function Search() {
  const [missed, setMissed] = useState('');
  const search = async (event) => {
    event.preventDefault();
    const field = event.target.elements.query;
    const text = field.value.trim();
    if (!text) return;
    const found = await find(text).catch(() => null);
    setMissed(found ? '' : text);
    if (found) {
      field.value = '';
      go(found);
    }
  };
  return html`<form role="search" class="search" onSubmit=${search}>
    <input name="query" type="search" aria-label="Search for a block, transaction, address, model or DataNet" placeholder="Search" title="A block’s number, a hash, an address, model 1 or datanet 1" autocomplete="off" spellcheck=${false} />
    <span class="search-miss" role="status">${missed && `No result for ${missed.slice(0, 24)}`}</span>
  </form>`;
}

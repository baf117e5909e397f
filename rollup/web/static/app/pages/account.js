/** One address of either layer: what it has, what it is to the attribution account, and its newest transactions. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {call, supports} from '../rpc.js';
import {heads} from '../heads.js';
import {useData} from '../use_data.js';
import {newestBlocks} from '../chain.js';
import {grouped, hex, num} from '../format.js';
import {ATTRIBUTION, nameOf} from '../names.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Act} from '../studio/act.js';
import {Address, Age, Amount, BlockLink, Hash} from '../parts/values.js';

const BLOCKS = 200;
const SHOWN = 50;
const PAGE = 25;

async function load(layer, address) {
  const [balance, nonce, code] = await Promise.all([
    call(layer, 'eth_getBalance', [address, 'latest']),
    call(layer, 'eth_getTransactionCount', [address, 'latest']),
    call(layer, 'eth_getCode', [address, 'latest']),
  ]);
  const isOpen = layer === 'l2' && (await supports('l2', 'open_earnings'));
  const earnings = isOpen ? await call('l2', 'open_earnings', [address]) : null;
  return {balance, nonce, code, earnings};
}

/** Its transactions in the newest blocks: nodes have no index by address that every node answers from. */
async function recent(layer, address, newest) {
  const blocks = await newestBlocks(layer, newest, BLOCKS, true);
  const wanted = address.toLowerCase();
  return blocks
    .flatMap((block) => block.transactions.map((transaction) => ({transaction, block})))
    .filter(({transaction}) => transaction.from?.toLowerCase() === wanted || transaction.to?.toLowerCase() === wanted)
    .slice(0, SHOWN);
}

/** A page of its transactions in older blocks, from a node that finds them by address. */
async function older(address, below) {
  const {txs, receipts, lastPage} = await call('l2', 'ots_searchTransactionsBefore', [address, hex(below), hex(PAGE)]);
  return {isLast: lastPage, rows: txs.map((transaction, index) => ({transaction, block: {number: transaction.blockNumber, timestamp: hex(receipts[index].timestamp)}}))};
}

const columns = (layer) => [
  {title: 'Transaction', cell: ({transaction}) => html`<${Hash} value=${transaction.hash} href=${`#/${layer}/tx/${transaction.hash}`} />`},
  {title: 'Block', cell: ({block}) => html`<${BlockLink} layer=${layer} number=${num(block.number)} />`},
  {title: 'From', cell: ({transaction}) => html`<${Address} value=${transaction.from} layer=${layer} roles=${false} />`},
  {title: 'To', cell: ({transaction}) => (transaction.to ? html`<${Address} value=${transaction.to} layer=${layer} roles=${false} />` : 'new contract')},
  {title: 'Value, OPEN', right: true, cell: ({transaction}) => html`<${Amount} wei=${transaction.value} unit=${false} />`},
  {title: 'Age', right: true, hide: true, cell: ({block}) => html`<${Age} time=${num(block.timestamp)} layer=${layer} />`},
];

function Recent({layer, address}) {
  const newest = heads.value?.[layer]?.head.number;
  const data = useData(async () => ({rows: await recent(layer, address, newest), from: newest - BLOCKS + 1, mayGoOn: newest >= BLOCKS && (await supports(layer, 'ots_searchTransactionsBefore'))}), [layer, address], {live: false});
  const [more, setMore] = useState({rows: [], isLast: false});
  const goOn = async () => {
    const below = more.rows.length ? num(more.rows.at(-1).block.number) : data.value.from;
    const found = await older(address, below);
    setMore({rows: [...more.rows, ...found.rows], isLast: found.isLast});
  };
  return html`<${Loaded} data=${data}>${(found) => {
    const rows = [...found.rows, ...more.rows];
    return html`${rows.length ? html`<${Table} caption="Newest transactions" columns=${columns(layer)} rows=${rows} keyOf=${(row) => row.transaction.hash} />` : html`<${Empty}>No transaction in the newest ${BLOCKS} blocks.<//>`}
      ${found.mayGoOn && !more.isLast && html`<${Act} label="Look in older blocks" isPrimary=${false} needsSigner=${false} onAct=${goOn} />`}`;
  }}<//>`;
}

export function Account({layer, address}) {
  const data = useData(() => load(layer, address), [layer, address]);
  const other = layer === 'l1' ? 'l2' : 'l1';
  const isAttribution = address.toLowerCase() === ATTRIBUTION;
  return html`<${Page} title=${nameOf(address) ?? 'Address'} above=${html`<a href="#/">Explorer</a> / ${layer.toUpperCase()}`}
      actions=${html`<a class="button" href=${`#/${other}/address/${address}`}>The same on ${other.toUpperCase()}</a>`}>
    <${Loaded} data=${data} lines=${4}>${({balance, nonce, code, earnings}) => html`
      <${Facts} rows=${[
        ['Address', html`<${Address} value=${address} layer=${layer} whole copy />`],
        ['Balance', html`<${Amount} wei=${balance} />`],
        ['Transactions sent', grouped(nonce)],
        ['Kind', isAttribution && layer === 'l2' ? 'the attribution account' : code === '0x' ? 'an account' : `a contract, ${grouped((code.length - 2) / 2)} bytes`],
        ['Claimable', earnings && BigInt(earnings.claimable) > 0n && html`<${Amount} wei=${earnings.claimable} /> <a href=${`#/earnings/${address}`}>Earnings</a>`],
      ]} />`}<//>
    ${heads.value && html`<${Section} title="Newest transactions" note=${`In the newest ${BLOCKS} blocks.`}><${Recent} layer=${layer} address=${address} /><//>`}
  <//>`;
}

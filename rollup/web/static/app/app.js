/**
 * The frame of every page: navigation, heads, the page itself, and its calls as code. The shell has the same frame as
 * HTML (rollup/web/frame.py), which is drawn before this.
 */
import {html} from './html.js';
import {useErrorBoundary} from '../vendor/preact-hooks.js';
import {route} from './routes.js';
import {Strip} from './parts/strip.js';
import {Search} from './parts/search.js';
import {WalletButton} from './parts/wallet_button.js';
import {AsCode} from './parts/as_code.js';
import {Toasts} from './parts/toasts.js';
import {Failure} from './parts/notice.js';
import {Page} from './parts/page.js';
import {lazy} from './parts/lazy.js';
import {Explorer} from './pages/explorer.js';

const Block = lazy(async () => (await import('./pages/block.js')).Block);
const Transaction = lazy(async () => (await import('./pages/transaction.js')).Transaction);
const Account = lazy(async () => (await import('./pages/account.js')).Account);
const Batches = lazy(async () => (await import('./pages/batches.js')).Batches);
const Batch = lazy(async () => (await import('./pages/batch.js')).Batch);
const Studio = lazy(async () => (await import('./studio/studio.js')).Studio);
const Answer = lazy(async () => (await import('./studio/answer.js')).Answer);
const Earnings = lazy(async () => (await import('./pages/earnings.js')).Earnings);
const Usage = lazy(async () => (await import('./pages/usage.js')).Usage);
const ModelUsage = lazy(async () => (await import('./pages/usage.js')).ModelUsage);
const Datanet = lazy(async () => (await import('./pages/datanet.js')).Datanet);
const Economics = lazy(async () => (await import('./pages/economics.js')).Economics);
const Control = lazy(async () => (await import('./pages/control.js')).Control);

const LINKS = [
  ['', 'Explorer'],
  ['studio', 'Studio'],
  ['earnings', 'Earnings'],
  ['usage', 'Usage'],
  ['economics', 'Economics'],
  ['control', 'Control'],
];
const PLACES = {l1: '', l2: '', batches: '', batch: '', datanet: 'usage', answer: 'studio'};

/** @param {string[]} path @returns {any} the page */
function view([first = '', second = '', third = '']) {
  if (first === '') return html`<${Explorer} />`;
  if (first === 'l1' || first === 'l2') {
    if (second === 'block') return html`<${Block} key=${first + third} layer=${first} id=${third} />`;
    if (second === 'tx') return html`<${Transaction} key=${third} layer=${first} hash=${third} />`;
    if (second === 'address') return html`<${Account} key=${first + third} layer=${first} address=${third} />`;
  }
  if (first === 'batches') return html`<${Batches} />`;
  if (first === 'batch') return html`<${Batch} key=${second} id=${second} />`;
  if (first === 'studio') return html`<${Studio} />`;
  if (first === 'answer') return html`<${Answer} key=${second} hash=${second} />`;
  if (first === 'earnings') return html`<${Earnings} key=${second} address=${second} />`;
  if (first === 'usage') return second ? html`<${ModelUsage} key=${second} id=${second} />` : html`<${Usage} />`;
  if (first === 'datanet') return html`<${Datanet} key=${second} id=${second} />`;
  if (first === 'economics') return html`<${Economics} />`;
  if (first === 'control') return html`<${Control} />`;
  return html`<${Page} title="Not found"><p>There is no page of this name. <a href="#/">To the explorer</a></p><//>`;
}

function Guarded({children}) {
  const [error] = useErrorBoundary((fault) => console.error(fault));
  return error ? html`<${Page} title="This page failed"><${Failure} error=${error} /><//>` : children;
}

export function App() {
  const {path} = route.value;
  const place = PLACES[path[0]] ?? path[0] ?? '';
  return html`
    <a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header class="top">
      <div class="bar">
        <a class="brand" href="#/">openrollup</a>
        <nav aria-label="Pages">${LINKS.map(
          ([target, label]) => html`<a href=${`#/${target}`} aria-current=${place === target ? 'page' : null}>${label}</a>`,
        )}</nav>
        <${Search} />
        <${WalletButton} />
      </div>
      <${Strip} />
    </header>
    <main id="main" tabindex="-1">
      <${Guarded} key=${path.join('/')}>${view(path)}<//><${AsCode} />
    </main>
    <${Toasts} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

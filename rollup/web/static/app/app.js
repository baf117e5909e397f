/** The frame of every page: navigation, heads, the page itself, and its calls as code. */
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
import {Explorer} from './pages/explorer.js';
import {Block} from './pages/block.js';
import {Transaction} from './pages/transaction.js';
import {Account} from './pages/account.js';
import {Batches, Batch} from './pages/batches.js';

const LINKS = [
  ['', 'Explorer'],
];
const OF_EXPLORER = new Set(['l1', 'l2', 'batches', 'batch']);

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
  return html`<${Page} title="Not found"><p>There is no page of this name. <a href="#/">To the explorer</a></p><//>`;
}

function Guarded({children}) {
  const [error] = useErrorBoundary((fault) => console.error(fault));
  return error ? html`<${Page} title="This page failed"><${Failure} error=${error} /><//>` : children;
}

export function App() {
  const {path} = route.value;
  const place = OF_EXPLORER.has(path[0]) ? '' : (path[0] ?? '');
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
      <${Guarded} key=${path.join('/')}>${view(path)}<//>
      <${AsCode} />
    </main>
    <${Toasts} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

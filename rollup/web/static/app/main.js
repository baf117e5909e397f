/** The start: one component into one element. */
import {render} from '../vendor/preact.js';
import '../vendor/signals.js';
import {html} from './html.js';
import {App, isFramed} from './app.js';
import {follow} from './heads.js';
import {findAccounts} from './wallet.js';

const PATIENCE = 200;
const UNSEEN = 100;

/** The first picture is the frame with the heads, where the node answers at once; the page itself is in the next. */
async function start() {
  const first = follow();
  findAccounts();
  await Promise.race([first, new Promise((done) => setTimeout(done, PATIENCE))]);
  render(html`<${App} />`, document.getElementById('app'));
  const go = () => (isFramed.value = true);
  requestAnimationFrame(() => setTimeout(go));
  setTimeout(go, UNSEEN); // a window that is not seen draws no picture
}

start();

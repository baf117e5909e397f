/** The start: one component into one element. */
import {render} from '../vendor/preact.js';
import '../vendor/signals.js';
import {html} from './html.js';
import {App} from './app.js';
import {follow} from './heads.js';
import {findAccounts} from './wallet.js';

const PATIENCE = 200;

/** The first picture has the heads in it, where the node answers at once: a page that is laid out twice comes later. */
async function start() {
  const first = follow();
  findAccounts();
  await Promise.race([first, new Promise((done) => setTimeout(done, PATIENCE))]);
  render(html`<${App} />`, document.getElementById('app'));
}

start();

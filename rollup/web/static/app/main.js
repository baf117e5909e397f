/** The start: one component into one element. */
import {render} from '../vendor/preact.js';
import '../vendor/signals.js';
import {html} from './html.js';
import {App} from './app.js';
import {follow} from './heads.js';
import {findAccounts} from './wallet.js';

const PATIENCE = 200;

/**
 * The shell has the frame, and the heads where the node sent them, so the first picture does not wait for the script.
 * The script draws over it with the heads. It waits for them a little where it has to ask.
 */
async function start() {
  const first = follow();
  findAccounts();
  await Promise.race([first, new Promise((done) => setTimeout(done, PATIENCE))]);
  render(html`<${App} />`, document.getElementById('app'));
}

start();

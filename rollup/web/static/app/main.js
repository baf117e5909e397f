/** The start: one component into one element. */
import {render} from '../vendor/preact.js';
import '../vendor/signals.js';
import {html} from './html.js';
import {App} from './app.js';
import {follow} from './heads.js';
import {findAccounts} from './wallet.js';

follow();
findAccounts();
const root = document.getElementById('app');
root.replaceChildren();
render(html`<${App} />`, root);

/** A button that puts a text on the clipboard and says so. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';

const SHOWN_FOR = 1500;

export function Copy({text, label = 'Copy'}) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(setDone, SHOWN_FOR, false);
  };
  return html`<button type="button" class="copy" onClick=${copy} aria-label=${`${label}: ${text.slice(0, 80)}`}>${isDone ? 'copied' : 'copy'}</button>`;
}

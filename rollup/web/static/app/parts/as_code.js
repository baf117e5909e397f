/** The calls that the page made, as curl and as web3.py: whatever a page does, a script can do. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {recorded, urlOf} from '../rpc.js';
import {Copy} from './copy.js';

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const curl = ({endpoint, method, params}) =>
  `curl -s ${urlOf(endpoint)} -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify({jsonrpc: '2.0', id: 1, method, params}))}`;

function python(calls) {
  const names = [...new Set(calls.map((item) => item.endpoint))];
  const lines = ['from web3 import Web3', ''];
  for (const name of names) lines.push(`${name} = Web3(Web3.HTTPProvider("${urlOf(name)}"))`);
  for (const {endpoint, method, params} of calls) {
    lines.push(`print(${endpoint}.provider.make_request("${method}", ${pythonValue(params)})["result"])`);
  }
  return lines.join('\n');
}

/** A JSON value as Python writes it. */
function pythonValue(value) {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonValue(item)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

export function AsCode() {
  const [language, setLanguage] = useState('curl');
  const calls = recorded.value;
  if (!calls.length) return null;
  const text = language === 'curl' ? calls.map(curl).join('\n\n') : python(calls);
  const choice = (name, label) => html`<button type="button" class="tab" aria-pressed=${language === name} onClick=${() => setLanguage(name)}>${label}</button>`;
  return html`<details class="as-code">
    <summary>This page as curl or web3.py <span class="quiet">(${calls.length} ${calls.length === 1 ? 'method' : 'methods'})</span></summary>
    <div class="tabs">${choice('curl', 'curl')}${choice('python', 'web3.py')}<${Copy} text=${text} label="Copy the calls" /></div>
    <pre tabindex="0"><code>${text}</code></pre>
  </details>`;
}

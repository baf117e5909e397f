/** Step 1: texts that are dropped become a DataNet, or join one. */
import {html} from '../html.js';
import {useRef, useState} from '../../vendor/preact-hooks.js';
import {call} from '../rpc.js';
import {useData} from '../use_data.js';
import {send, signer} from '../wallet.js';
import {calldata} from '../contract.js';
import {ATTRIBUTION} from '../names.js';
import {foreign, grouped, num} from '../format.js';
import {Table} from '../parts/table.js';
import {Amount} from '../parts/values.js';
import {say} from '../parts/toasts.js';
import {change, form, made, target, texts} from './state.js';
import {filesOf, readFiles, textOf} from './drop.js';
import {keepName} from './names_kept.js';
import {listDatanets, title} from './registry.js';
import {Act} from './act.js';
import {Contributor} from './contributor.js';
import {Step} from './step.js';

const PER_CALL = 200;

/** Lets the node keep each text, which also hashes it and counts its tokens; says which are there twice. */
async function measure(found) {
  const measured = await Promise.all(
    found.map(async (item) => {
      if (item.problem) return item;
      const {contentHash, tokens} = await call('l2', 'open_putContent', [item.text]);
      return {...item, contentHash, tokens: num(tokens)};
    }),
  );
  const all = [...texts.peek(), ...measured];
  const first = new Map();
  texts.value = all.map((item) => {
    if (!item.contentHash) return item;
    const twin = first.get(item.contentHash);
    if (twin) return {...item, problem: `the same text as ${twin}`};
    first.set(item.contentHash, item.name);
    return item;
  });
}

const update = (id, more) => (texts.value = texts.peek().map((item) => (item.id === id ? {...item, ...more} : item)));
const unitsOf = (item) => (typeof item.units === 'number' ? item.units : item.units === 'equal' ? 1 : (item.tokens ?? 0));

function Drop() {
  const [isOver, setOver] = useState(false);
  const picker = useRef(null);
  const folder = useRef(null);
  const owner = () => signer.peek()?.address ?? '';
  const take = async (files) => {
    try {
      await measure(await readFiles([...files], owner()));
    } catch (error) {
      say(foreign(error.message), 'bad');
    }
  };
  const over = (is) => (event) => {
    event.preventDefault();
    setOver(is);
  };
  const dropped = (event) => {
    over(false)(event);
    filesOf(event.dataTransfer).then(take, (error) => say(foreign(error.message), 'bad'));
  };
  return html`<div class=${`drop${isOver ? ' is-over' : ''}`} onDragOver=${over(true)} onDragLeave=${over(false)} onDrop=${dropped}>
    <p>Drop text files or a folder here: .txt, .md, .jsonl with a text in each line, or .csv with a column named text.</p>
    <div class="inline center">
      <button type="button" onClick=${() => picker.current.click()}>Choose files</button>
      <button type="button" onClick=${() => folder.current.click()}>Choose a folder</button>
      <${Paste} onText=${(text) => measure([textOf(`pasted text ${texts.peek().length + 1}`, text, owner())])} />
    </div>
    <input ref=${picker} type="file" multiple hidden accept=".txt,.md,.jsonl,.csv,text/*" onChange=${(event) => take(event.target.files)} />
    <input ref=${folder} type="file" webkitdirectory hidden onChange=${(event) => take(event.target.files)} />
  </div>`;
}

function Paste({onText}) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState('');
  if (!isOpen) return html`<button type="button" onClick=${() => setOpen(true)}>Paste a text</button>`;
  const add = () => {
    onText(text);
    setText('');
    setOpen(false);
  };
  return html`<div class="fields"><textarea aria-label="Text to add" rows="4" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
    <button type="button" disabled=${!text.trim()} onClick=${add}>Add this text</button></div>`;
}

function Texts() {
  const columns = [
    {title: 'Text', cell: (item) => html`<span title=${item.text.slice(0, 400)}>${foreign(item.name)}</span>${item.problem && html` <span class="chip is-bad">${item.problem}</span>`}`},
    {title: 'Tokens', right: true, cell: (item) => (item.tokens === undefined ? '–' : grouped(item.tokens))},
    {title: 'Who is paid', cell: (item) => html`<${Contributor} label=${`Who is paid for ${item.name}`} value=${item.contributor} onChange=${(address) => update(item.id, {contributor: address})} />`},
    {title: 'Units', right: true, cell: (item) => (item.problem ? '0' : grouped(unitsOf(item)))},
    {title: '', right: true, cell: (item) => html`<button type="button" class="copy" aria-label=${`Remove ${item.name}`} onClick=${() => (texts.value = texts.peek().filter((other) => other.id !== item.id))}>remove</button>`},
  ];
  const count = (units) => (texts.value = texts.peek().map((item) => ({...item, units})));
  return html`<div class="after">
    <${Table} caption="Texts to register" columns=${columns} rows=${texts.value} keyOf=${(item) => item.id} />
    <fieldset class="inline center after"><legend class="unseen">Units</legend><span class="note">A text counts</span>
      <label class="choice"><input type="radio" name="units" checked=${texts.value.every((item) => item.units !== 'equal')} onChange=${() => count('tokens')} /> by its tokens</label>
      <label class="choice"><input type="radio" name="units" checked=${texts.value.every((item) => item.units === 'equal')} onChange=${() => count('equal')} /> the same as each other</label>
    </fieldset>
  </div>`;
}

/** Creates the DataNet where it is new, then registers the texts in parts of 200. */
async function register(name) {
  const good = texts.peek().filter((item) => !item.problem);
  let gas = 0n;
  const sent = async (data) => {
    const receipt = await send({to: ATTRIBUTION, data});
    gas += BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice) + BigInt(receipt.l1Fee ?? 0);
    return receipt;
  };
  let id = target.peek();
  if (id === null) {
    const receipt = await sent(await calldata('createDatanet', [await keepName(name)]));
    id = num(receipt.logs[0].topics[1]);
    target.value = id;
  }
  for (let first = 0; first < good.length; first += PER_CALL) {
    const rows = good.slice(first, first + PER_CALL).map((item) => [item.contributor, unitsOf(item), item.contentHash]);
    await sent(await calldata('contribute', [id, rows]));
  }
  made.value = {...made.peek(), datanet: {id, texts: good.length, gas}};
  texts.value = [];
  const {weights} = form.peek();
  if (!weights.some((weight) => weight.id === id)) change({weights: [...weights, {id, weight: 1}].sort((a, b) => a.id - b.id)});
  say(`DataNet ${id} has ${good.length} more ${good.length === 1 ? 'text' : 'texts'}`);
}

export function DatanetStep() {
  const [name, setName] = useState('');
  const datanets = useData(listDatanets, [], {live: 'slowly', beat: made.value});
  const own = (datanets.value ?? []).filter((item) => item.curator === signer.value?.address);
  const done = made.value.datanet;
  const good = texts.value.filter((item) => !item.problem && unitsOf(item) > 0).length;
  const isNew = target.value === null;
  return html`<${Step} number="1" title="Texts become a DataNet" done=${done && `DataNet ${done.id} has ${done.texts} ${done.texts === 1 ? 'text' : 'texts'} more`}
    note="A DataNet is a pool of texts. Its earnings are shared by units, and a contributor who is quoted in an answer is paid directly. The chain gets the hash of each text, and this node keeps the text.">
    <${Drop} />
    ${texts.value.length > 0 && html`<${Texts} />
      <div class="fields after">
        <label><span class="name">Into</span><select value=${isNew ? '' : String(target.value)} onChange=${(event) => (target.value = event.target.value ? Number(event.target.value) : null)}>
          <option value="">A new DataNet</option>${own.map((item) => html`<option value=${String(item.id)}>${title(item, 'DataNet')}</option>`)}
        </select></label>
        ${isNew && html`<label><span class="name">Its name</span><input value=${name} maxlength="100" placeholder="Cardiology notes" onInput=${(event) => setName(event.target.value)} /></label>`}
      </div>
      <${Act} label=${`${isNew ? 'Create the DataNet with' : 'Register'} ${good} ${good === 1 ? 'text' : 'texts'}`} disabled=${!good || (isNew && !name.trim())} why=${good ? 'Give it a name.' : 'No text can be registered.'} onAct=${() => register(name.trim())} />
      <p class="note">${isNew ? 'Two transactions' : 'One transaction'}. The node tries each one first and sends it only if it succeeds.</p>`}
    ${done && html`<p class="note after">It cost <${Amount} wei=${done.gas} /> of gas. <a href=${`#/datanet/${done.id}`}>Look at DataNet ${done.id}</a></p>`}
  <//>`;
}

/** An answer with the spans that registered texts have, in the colours of their contributors, and whose they are. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {grouped, num, visible} from '../format.js';
import {Table} from '../parts/table.js';
import {Address, Amount, Hash, Wei} from '../parts/values.js';

const HUES = 8;

/** @param {any} trace of open_trace @returns {any[]} contributors in order of appearance, with their spans */
export function sourcesOf(trace) {
  const found = new Map();
  trace.spans.forEach((span, index) => {
    const key = `${span.datanetId} ${span.contributor}`;
    if (!found.has(key)) found.set(key, {key, place: found.size, contributor: span.contributor, datanet: num(span.datanetId), spans: [], texts: new Set(), tokens: 0});
    const source = found.get(key);
    source.spans.push(index);
    source.texts.add(span.contentHash);
    source.tokens += num(span.tokens);
  });
  return [...found.values()];
}

/** Text and spans, cut at the spans' UTF-16 positions, which are those of JavaScript's strings. */
function pieces(text, trace, sources) {
  const owner = new Map(sources.flatMap((source) => source.spans.map((index) => [index, source])));
  const found = [];
  let at = 0;
  trace.spans.forEach((span, index) => {
    const [start, end] = [num(span.utf16Start), num(span.utf16End)];
    if (start > at) found.push({text: text.slice(at, start)});
    found.push({text: text.slice(start, end), span, source: owner.get(index), index});
    at = end;
  });
  if (at < text.length) found.push({text: text.slice(at)});
  return found;
}

const hue = (place) => `hue-${place % HUES}${place >= HUES ? ' is-second' : ''}`;

/** A mark is a button that may break over lines, so it takes the keys of one. */
const pressed = (act) => (event) => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  act();
};

function creditOf(source, credits) {
  return credits
    .filter((item) => item.role === 'member' && item.account === source.contributor && num(item.datanetId) === source.datanet)
    .reduce((sum, item) => sum + BigInt(item.amount), 0n);
}

/**
 * @param {{text: string, trace: any, credits?: any[]}} props credits: of the inference that paid for it, if there is one
 */
export function Spans({text, trace, credits}) {
  const [picked, setPicked] = useState(null);
  const sources = sourcesOf(trace);
  const span = picked === null ? null : trace.spans[picked.span ?? sources.find((item) => item.key === picked.key)?.spans[0]];
  const pick = (source, index) => setPicked(picked?.span === index && index !== undefined ? null : {key: source.key, span: index});
  const columns = [
    {title: 'Whose words', cell: (source) => html`<span class=${`dot ${hue(source.place)}`}>${source.place + 1}</span><${Address} value=${source.contributor} roles=${false} />`},
    {title: 'DataNet', hide: true, cell: (source) => html`<a href=${`#/datanet/${source.datanet}`}>${source.datanet}</a>`},
    {title: 'Tokens', right: true, cell: (source) => grouped(source.tokens)},
    {title: 'Texts', right: true, hide: true, cell: (source) => source.texts.size},
    credits && {title: 'Credited', right: true, cell: (source) => html`<${Wei} wei=${creditOf(source, credits)} />`},
    credits && {title: 'OPEN', right: true, hide: true, cell: (source) => html`<${Amount} wei=${creditOf(source, credits)} unit=${false} />`},
    {title: '', right: true, cell: (source) => html`<button type="button" class="copy" aria-pressed=${picked?.key === source.key && picked.span === undefined} onClick=${() => (picked?.key === source.key && picked.span === undefined ? setPicked(null) : pick(source))}>${picked?.key === source.key && picked.span === undefined ? 'all' : 'only this'}</button>`},
  ].filter(Boolean);
  return html`<div>
    <div class="answer" lang="">${pieces(text, trace, sources).map((piece, index) =>
      piece.span
        ? html`<mark role="button" tabindex="0" key=${index} class=${`span ${hue(piece.source.place)}${picked?.span === piece.index ? ' is-picked' : ''}${picked && picked.key !== piece.source.key ? ' is-dimmed' : ''}`}
            aria-describedby=${`source-${piece.source.place}`} aria-pressed=${picked?.span === piece.index} onClick=${() => pick(piece.source, piece.index)} onKeyDown=${pressed(() => pick(piece.source, piece.index))}>${visible(piece.text)}<sup>${piece.source.place + 1}</sup></mark>`
        : html`<span key=${index} class=${picked ? 'is-dimmed' : ''}>${visible(piece.text)}</span>`,
    )}</div>
    <div role="status" class="after">${span && html`<p class="note">“${visible(span.snippet)}” <span class="quiet">in text</span> <${Hash} value=${span.contentHash} />, found ${num(span.count) === 1 ? 'once' : `${num(span.count)} times`} in the texts.</p>`}</div>
    ${
      sources.length
        ? html`<${Table} caption="Whose words are in the answer" columns=${columns} rows=${sources} keyOf=${(source) => source.key} />
          <div class="unseen">${sources.map((source) => html`<span id=${`source-${source.place}`}>Contributor ${source.place + 1}</span>`)}</div>`
        : html`<p class="empty">No stretch of four tokens or more is in the registered texts, so the fee goes by the default weights of the model.</p>`
    }
  </div>`;
}

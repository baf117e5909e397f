/** An answer with what registered texts have of it, in the colours of their contributors, and whose they are. */
import {html} from '../html.js';
import {useState} from '../../vendor/preact-hooks.js';
import {grouped, num, percent, visible} from '../format.js';
import {Bar} from '../parts/bar.js';
import {Table} from '../parts/table.js';
import {Address, Amount, Hash, Wei} from '../parts/values.js';

const HUES = 8;

/** Quotes, and sentences that follow a text in other words, as one list. @param {any} trace of open_trace */
const partsOf = (trace) => [
  ...trace.spans.map((part) => ({...part, isQuote: true})),
  ...(trace.related?.passages ?? []).map((part) => ({...part, isQuote: false})),
];

/** @param {any[]} parts @returns {any[]} contributors in order of appearance, with their parts */
function sourcesOf(parts) {
  const found = new Map();
  const inOrder = parts.map((_, index) => index).sort((a, b) => num(parts[a].utf16Start) - num(parts[b].utf16Start));
  for (const index of inOrder) {
    const part = parts[index];
    const key = `${part.datanetId} ${part.contributor}`;
    if (!found.has(key)) found.set(key, {key, place: found.size, contributor: part.contributor, datanet: num(part.datanetId), parts: [], texts: new Set(), quoted: 0, followed: 0});
    const source = found.get(key);
    source.parts.push(index);
    source.texts.add(part.contentHash);
    source[part.isQuote ? 'quoted' : 'followed'] += num(part.tokens);
  }
  return [...found.values()];
}

/** The parts as stretches of text that do not overlap: of a sentence with quotes, only the rest is a part. */
function stretches(parts) {
  const quotes = parts.map((part, index) => ({start: num(part.utf16Start), end: num(part.utf16End), index})).filter(({index}) => parts[index].isQuote);
  const found = [...quotes];
  parts.forEach((part, index) => {
    if (part.isQuote) return;
    let at = num(part.utf16Start);
    const end = num(part.utf16End);
    for (const quote of quotes.filter((item) => item.end > at && item.start < end)) {
      if (quote.start > at) found.push({start: at, end: quote.start, index});
      at = quote.end;
    }
    if (at < end) found.push({start: at, end, index});
  });
  return found.sort((a, b) => a.start - b.start);
}

/** Text and parts, cut at UTF-16 positions, which are those of JavaScript's strings. */
function pieces(text, parts, sources) {
  const owner = new Map(sources.flatMap((source) => source.parts.map((index) => [index, source])));
  const found = [];
  let at = 0;
  for (const {start, end, index} of stretches(parts)) {
    // The rest of a sentence without its quotes may be a blank or a full stop, which is not marked.
    const [, before, words, after] = /^([^\p{L}\p{N}]*)(.*?)(\s*)$/su.exec(text.slice(start, end));
    const isQuote = parts[index].isQuote;
    if (!isQuote && !words) continue;
    const [from, to] = isQuote ? [start, end] : [start + before.length, end - after.length];
    if (from > at) found.push({text: text.slice(at, from)});
    found.push({text: text.slice(from, to), part: parts[index], source: owner.get(index), index});
    at = to;
  }
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

/** How much of the answer each rule covers, in tokens. */
function Coverage({trace}) {
  const total = num(trace.outputTokens);
  const [quoted, followed] = [num(trace.related.coverage.quoted), num(trace.related.coverage.followed)];
  const rows = [
    {label: 'quoted word for word', value: quoted},
    {label: 'follows a text in other words', value: followed},
    {label: 'neither', value: Math.max(0, total - quoted - followed)},
  ];
  if (!total) return null;
  return html`<figure class="coverage"><${Bar} label="Share of the answer that each rule covers" parts=${rows.map(({label, value}) => ({label, value: BigInt(value)}))} />
    <figcaption class="legend">${rows.map((row, index) => html`<span><i style=${{'--swatch': `var(--shade-${index})`}}></i>${row.label} ${percent(BigInt(row.value), BigInt(total))}</span>`)}</figcaption></figure>`;
}

/** What the reader picked, in words. */
function Picked({part}) {
  if (part.isQuote) {
    return html`<p class="note">“${visible(part.snippet)}” <span class="quiet">in text</span> <${Hash} value=${part.contentHash} />, found ${num(part.count) === 1 ? 'once' : `${num(part.count)} times`} in the texts.</p>`;
  }
  return html`<p class="note">This sentence follows text <${Hash} value=${part.contentHash} />: by their rarity, ${percent(BigInt(part.shared), BigInt(part.total))} of its words are there. “${visible(part.snippet)}”</p>`;
}

/**
 * @param {{text: string, trace: any, credits?: any[]}} props credits: of the inference that paid for it, if there is one
 */
export function Spans({text, trace, credits}) {
  const [picked, setPicked] = useState(null);
  const parts = partsOf(trace);
  const sources = sourcesOf(parts);
  const part = picked === null ? null : parts[picked.part ?? sources.find((item) => item.key === picked.key)?.parts[0]];
  const pick = (source, index) => setPicked(picked?.part === index && index !== undefined ? null : {key: source.key, part: index});
  const isOnly = (source) => picked?.key === source.key && picked.part === undefined;
  const columns = [
    {title: 'Whose text', cell: (source) => html`<span class=${`dot ${hue(source.place)}`}>${source.place + 1}</span><${Address} value=${source.contributor} roles=${false} />`},
    {title: 'DataNet', hide: true, cell: (source) => html`<a href=${`#/datanet/${source.datanet}`}>${source.datanet}</a>`},
    {title: 'Quoted', right: true, cell: (source) => grouped(source.quoted)},
    {title: 'Followed', right: true, hide: true, cell: (source) => grouped(source.followed)},
    {title: 'Texts', right: true, hide: true, cell: (source) => source.texts.size},
    credits && {title: 'Credited', right: true, hide: true, cell: (source) => html`<${Wei} wei=${creditOf(source, credits)} />`},
    credits && {title: 'OPEN', right: true, cell: (source) => html`<${Amount} wei=${creditOf(source, credits)} unit=${false} />`},
    {title: '', right: true, cell: (source) => html`<button type="button" class="copy" aria-pressed=${isOnly(source)} onClick=${() => (isOnly(source) ? setPicked(null) : pick(source))}>${isOnly(source) ? 'all' : 'only this'}</button>`},
  ].filter(Boolean);
  const classOf = (piece) =>
    `span ${hue(piece.source.place)}${piece.part.isQuote ? '' : ' is-followed'}${picked?.part === piece.index ? ' is-picked' : ''}${picked && picked.key !== piece.source.key ? ' is-dimmed' : ''}`;
  return html`<div>
    <div class="answer" lang="">${pieces(text, parts, sources).map((piece, index) =>
      piece.part
        ? html`<mark role="button" tabindex="0" key=${index} class=${classOf(piece)} aria-describedby=${`source-${piece.source.place}`} aria-pressed=${picked?.part === piece.index}
            onClick=${() => pick(piece.source, piece.index)} onKeyDown=${pressed(() => pick(piece.source, piece.index))}>${visible(piece.text)}<sup>${piece.source.place + 1}</sup></mark>`
        : html`<span key=${index} class=${picked ? 'is-dimmed' : ''}>${visible(piece.text)}</span>`,
    )}</div>
    <div role="status" class="after">${part && html`<${Picked} part=${part} />`}</div>
    ${trace.related && html`<${Coverage} trace=${trace} />`}
    ${
      sources.length
        ? html`<${Table} caption="Whose words are in the answer" columns=${columns} rows=${sources} keyOf=${(source) => source.key} />
          <p class="note after">Quoted and followed are tokens of the answer.</p>
          <div class="unseen">${sources.map((source) => html`<span id=${`source-${source.place}`}>Contributor ${source.place + 1}</span>`)}</div>`
        : html`<p class="empty">No stretch of four tokens or more is in the registered texts, and no sentence follows one. The fee goes by the default weights of the model.</p>`
    }
  </div>`;
}

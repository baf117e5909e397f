/** Files that were dropped or chosen, as texts. Only UTF-8 text can be traced. */
import {readCsv} from './csv.js';

const MOST_BYTES = 2 ** 20;
const MOST_TEXTS = 1000;
const LINES = /\.jsonl$/i;
const TABLE = /\.csv$/i;
const NOT_TEXT = /\.(pdf|docx?|png|jpe?g|gif|zip|gz|parquet)$/i;

let lastId = 0;

/**
 * @param {File[]} files
 * @param {string} contributor an address, for texts that name none
 * @returns {Promise<import('./state.js').DroppedText[]>}
 */
export async function readFiles(files, contributor) {
  const found = [];
  for (const file of files.slice(0, MOST_TEXTS)) found.push(...(await readFile(file, contributor)));
  return found;
}

/** @returns {import('./state.js').DroppedText} */
export const textOf = (name, text, contributor, more = {}) => ({id: ++lastId, name, text, contributor, units: 'tokens', ...more});

async function readFile(file, contributor) {
  const refused = (problem) => [textOf(file.name, '', contributor, {problem})];
  if (NOT_TEXT.test(file.name)) return refused('not a text file: .txt, .md, .jsonl and .csv are read here');
  if (file.size > MOST_BYTES) return refused('longer than 1 MiB');
  let text;
  try {
    text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(await file.arrayBuffer());
  } catch {
    return refused('not UTF-8 text');
  }
  if (!text.trim()) return refused('empty');
  if (TABLE.test(file.name)) return readTable(file.name, text, contributor);
  return LINES.test(file.name) ? readLines(file.name, text, contributor) : [textOf(file.name, text, contributor)];
}

/** A text in each line, as an object with `text` and perhaps `title`, `contributor`, `address` and `units`. */
function readLines(name, text, contributor) {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .map((line, index) => {
      const title = `${name}:${index + 1}`;
      try {
        return readRow(JSON.parse(line), title, contributor);
      } catch {
        return textOf(title, '', contributor, {problem: 'not JSON'});
      }
    });
}

/** A text in each row, with the columns that `openrollup datanet` reads. */
function readTable(name, text, contributor) {
  try {
    return readCsv(text).map((row, index) => readRow({...row, units: Number(row.units)}, `${name}:${index + 1}`, contributor));
  } catch (error) {
    return [textOf(name, '', contributor, {problem: `not CSV: ${error.message}`})];
  }
}

function readRow(row, title, contributor) {
  if (typeof row?.text !== 'string' || !row.text.trim()) return textOf(title, '', contributor, {problem: 'no field "text"'});
  const address = [row.address, row.contributor].find((item) => /^0x[0-9a-fA-F]{40}$/.test(item ?? '')) ?? contributor;
  const units = Number.isSafeInteger(row.units) && row.units > 0 ? row.units : 'tokens';
  return textOf(row.title ? String(row.title) : title, row.text, address, {units});
}

/**
 * The files of what was dropped, those inside folders too, in the order of their paths.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (found.length >= MOST_TEXTS) return;
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at a time
    if (!some.length) break;
    children.push(...some);
  }
  for (const child of children.sort((a, b) => (a.fullPath < b.fullPath ? -1 : 1))) await walk(child, found);
}

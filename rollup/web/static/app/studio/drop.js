/** Files that were dropped or chosen, as texts. Only UTF-8 text can be traced. */

const MOST_BYTES = 2 ** 20;
const MOST_TEXTS = 1000;
const LINES = /\.jsonl$/i;
const NOT_TEXT = /\.(pdf|docx?|png|jpe?g|gif|zip|gz|parquet|csv)$/i;

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
  if (NOT_TEXT.test(file.name)) return refused('not a text file: .txt, .md or .jsonl are read here');
  if (file.size > MOST_BYTES) return refused('longer than 1 MiB');
  let text;
  try {
    text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(await file.arrayBuffer());
  } catch {
    return refused('not UTF-8 text');
  }
  if (!text.trim()) return refused('empty');
  return LINES.test(file.name) ? readLines(file.name, text, contributor) : [textOf(file.name, text, contributor)];
}

/** A text in each line, as an object with `text` and perhaps `title`, `address` and `units`. */
function readLines(name, text, contributor) {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .map((line, index) => {
      const title = `${name}:${index + 1}`;
      try {
        const row = JSON.parse(line);
        if (typeof row.text !== 'string' || !row.text) return textOf(title, '', contributor, {problem: 'no field "text"'});
        const address = /^0x[0-9a-fA-F]{40}$/.test(row.address ?? '') ? row.address : contributor;
        const units = Number.isSafeInteger(row.units) && row.units > 0 ? row.units : 'tokens';
        return textOf(row.title ? String(row.title) : title, row.text, address, {units});
      } catch {
        return textOf(title, '', contributor, {problem: 'not JSON'});
      }
    });
}

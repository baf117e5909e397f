/** CSV with a header (RFC 4180): quoted fields may hold commas, quotes written twice, and line ends. */

/**
 * @param {string} text
 * @returns {Record<string, string>[]} a row for each line, by the names of the header
 * @throws {Error} where the text is no CSV
 */
export function readCsv(text) {
  const [header, ...lines] = fieldsOf(text.replace(/^\uFEFF/, '')).filter((fields) => fields.length > 1 || fields[0] !== '');
  if (!header) return [];
  if (new Set(header).size !== header.length) throw new Error('a column is there twice');
  return lines.map((fields, index) => {
    if (fields.length !== header.length) throw new Error(`row ${index + 1}: ${header.length} fields are expected, as in the header`);
    return Object.fromEntries(header.map((name, at) => [name.trim(), fields[at]]));
  });
}

/** @returns {string[][]} the fields of each line */
function fieldsOf(text) {
  const lines = [[]];
  let at = 0;
  while (at < text.length) {
    let field = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw new Error('a quote is not closed');
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') field += text[(at += 1)];
        else break;
      }
      at += 1;
      if (at < text.length && !/[,\r\n]/.test(text[at])) throw new Error('text stands after a closing quote');
    } else {
      const end = text.slice(at).search(/[,\r\n]/);
      field = end < 0 ? text.slice(at) : text.slice(at, at + end);
      at += field.length;
    }
    lines[lines.length - 1].push(field);
    if (text[at] === ',') {
      at += 1;
      if (at === text.length || /[\r\n]/.test(text[at])) lines[lines.length - 1].push('');
    }
    if (text[at] === '\r' || text[at] === '\n') {
      at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
      if (at < text.length) lines.push([]);
    }
  }
  return lines;
}

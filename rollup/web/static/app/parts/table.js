/** A table of rows, the same everywhere; on a narrow screen it scrolls inside its own box. */
import {html} from '../html.js';

/**
 * @param {{columns: {title: string, cell: (row: any) => any, right?: boolean, hide?: boolean}[], rows: any[],
 *   caption: string, keyOf?: (row: any) => string, rowClass?: (row: any) => string, showCaption?: boolean}} props
 * hide: left out on narrow screens. caption: for those who cannot see the heading above.
 */
export function Table({columns, rows, caption, keyOf, rowClass = () => '', showCaption = false}) {
  const classes = (column) => [column.right && 'right', column.hide && 'wide-only'].filter(Boolean).join(' ') || null;
  return html`<div class="table-box" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class=${showCaption ? null : 'unseen'}>${caption}</caption>
      <thead><tr>${columns.map((column) => html`<th scope="col" class=${classes(column)}>${column.title}</th>`)}</tr></thead>
      <tbody>${rows.map(
        (row, index) => html`<tr key=${keyOf ? keyOf(row) : index} class=${rowClass(row) || null}>
          ${columns.map((column) => html`<td class=${classes(column)}>${column.cell(row)}</td>`)}
        </tr>`,
      )}</tbody>
    </table>
  </div>`;
}

/** Names and values, one per line. Rows without a value are left out. */
export const Facts = ({rows}) => html`<dl class="facts">${rows
  .filter(([, value]) => value !== undefined && value !== null && value !== false)
  .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

// A report's table as HTML. It scrolls inside of itself where the window is too narrow, and can be reached by the
// keyboard for that; the page as a whole never scrolls sideways.

import { type Content, type Markup, markup } from "../markup.ts";
import type { Table } from "../report-table.ts";

export interface TableGroup {
  readonly title: string | null;
  readonly table: Table;
}

/** Groups have the columns of the first; titles stand between them. */
export function tableMarkup(caption: string, groups: readonly TableGroup[]): Markup {
  const columns = groups[0]?.table.columns ?? [];
  const sideOf = (index: number) => (columns[index]!.isNumber ? "number" : "text");
  const bodies: Content[] = groups.map(
    ({ title, table }) =>
      markup`<tbody>${
        title !== null &&
        markup`<tr class="group"><th scope="rowgroup" colspan="${columns.length}">${title}</th></tr>`
      }${table.rows.map(
        (row) =>
          markup`<tr>${row.map((one, index) => markup`<td class="${sideOf(index)} ${one.tone}">${one.text}</td>`)}</tr>`,
      )}</tbody>`,
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>${columns.map(
    (column, index) => markup`<th scope="col" class="${sideOf(index)}">${column.head}</th>`,
  )}</tr></thead>${bodies}</table></div>`;
}

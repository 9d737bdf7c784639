// Tables for a terminal: columns padded to their widest text, the least important left out where the width does not
// suffice, and the last text column wrapped rather than cut. Colours are of the sixteen that every terminal has.

import { type Cell, cell, type Table, type Tone } from "./report-table.ts";

export interface Paper {
  readonly width: number;
  readonly color: boolean;
}

const GAP = "  ";
/** Narrowest a wrapped column becomes before other columns go. */
const WRAPPED_MIN = 16;
/** Narrowest terminal that is laid out for; on a narrower one lines are broken by the terminal. */
const WIDTH_MIN = 40;

const CODES: Readonly<Record<Tone | "heading" | "possible", string>> = {
  plain: "",
  strong: "1",
  good: "32",
  bad: "31",
  quiet: "2",
  heading: "1;4",
  possible: "33",
};

export function painted(text: string, tone: keyof typeof CODES, { color }: Paper): string {
  const code = CODES[tone];
  return color && code !== "" && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Lines without ends; none is wider than the paper where its narrowest form fits at all. */
export function tableLines(table: Table, paper: Paper): string[] {
  return groupLines([{ title: null, table }], paper);
}

export interface TableGroup {
  readonly title: string | null;
  readonly table: Table;
}

/** Tables of the same columns, laid out as one: a head, and each group's rows under its title. */
export function groupLines(groups: readonly TableGroup[], paper: Paper): string[] {
  const first = groups[0];
  if (first === undefined) return [];
  const all: Table = { columns: first.table.columns, rows: groups.flatMap(({ table }) => table.rows) };
  const layout = layOut(all, Math.max(paper.width, WIDTH_MIN));
  return [
    ...headLines(all, layout, paper),
    ...groups.flatMap(({ title, table }) => [
      ...(title === null ? [] : [painted(title, "strong", paper)]),
      ...table.rows.flatMap((row) =>
        rowLines(
          layout.kept.map((index) => row[index]!),
          layout,
          paper,
        ),
      ),
    ]),
  ];
}

/** Words of a text in lines of at most `width`, a figure with its unit counting as one; a longer word has its own line. */
export function wrap(text: string, width: number): string[] {
  const held = text.replace(/ (?=(?:%|ms|s|req\/s|×)(?:[\s,;.)]|$))|(?<=[<>≤≥±]) /g, HELD);
  const lines: string[] = [];
  let current = "";
  for (const word of held.split(" ")) {
    if (current !== "" && lengthOf(current) + 1 + lengthOf(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current].map((line) => line.replaceAll(HELD, " "));
}

/** A space at which no line ends. */
const HELD = "\u00a0";

interface Layout {
  /** Indexes of the columns shown. */
  readonly kept: readonly number[];
  readonly widths: readonly number[];
  readonly areNumbers: readonly boolean[];
  /** Place among those shown of the column that is wrapped. */
  readonly wrapped: number | null;
}

function layOut(table: Table, width: number): Layout {
  const kept = columnsThatFit(table, width);
  const widths = kept.map((index) => naturalWidth(table, index));
  const wrapped = wrappedPlace(table, kept);
  if (wrapped !== null) {
    const others = sum(widths) - widths[wrapped]! + GAP.length * (widths.length - 1);
    widths[wrapped] = Math.min(widths[wrapped]!, Math.max(WRAPPED_MIN, width - others));
  }
  return { kept, widths, areNumbers: kept.map((index) => table.columns[index]!.isNumber), wrapped };
}

/** Heads in as many lines as their columns need, the last of them right above the figures. */
function headLines(table: Table, layout: Layout, paper: Paper): string[] {
  const parts = layout.kept.map((index, place) => wrap(table.columns[index]!.head, layout.widths[place]!));
  const height = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: height }, (_, row) => {
    const cells = parts.map((part) => cell(part[row - height + part.length] ?? "", "quiet"));
    return rowLines(cells, layout, paper);
  }).flat();
}

function rowLines(cells: readonly Cell[], { widths, areNumbers, wrapped }: Layout, paper: Paper): string[] {
  const parts = cells.map(({ text }, place) => (place === wrapped ? wrap(text, widths[place]!) : [text]));
  const height = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: height }, (_, row) =>
    cells
      .map(({ tone }, place) => {
        const text = parts[place]![row] ?? "";
        const pad = " ".repeat(Math.max(0, widths[place]! - lengthOf(text)));
        return areNumbers[place] ? pad + painted(text, tone, paper) : painted(text, tone, paper) + pad;
      })
      .join(GAP)
      .trimEnd(),
  );
}

function columnsThatFit(table: Table, width: number): number[] {
  let kept = table.columns.map((_, index) => index);
  while (narrowest(table, kept) > width) {
    const ranks = kept.map((index) => table.columns[index]!.rank);
    const least = Math.max(...ranks);
    if (least === 0) break;
    const gone = kept[ranks.lastIndexOf(least)]!;
    kept = kept.filter((index) => index !== gone);
  }
  return kept;
}

function narrowest(table: Table, kept: readonly number[]): number {
  const wrapped = wrappedPlace(table, kept);
  const widths = kept.map((index, place) => {
    const natural = naturalWidth(table, index);
    return place === wrapped ? Math.min(natural, WRAPPED_MIN) : natural;
  });
  return sum(widths) + GAP.length * (kept.length - 1);
}

/** Of the longest text; of a head, which may be wrapped, of its longest word. */
function naturalWidth(table: Table, index: number): number {
  const texts = [...wrap(table.columns[index]!.head, 1), ...table.rows.map((row) => row[index]!.text)];
  return texts.reduce((widest, text) => Math.max(widest, lengthOf(text)), 0);
}

/** The last column that holds text is the one that wraps. */
function wrappedPlace(table: Table, kept: readonly number[]): number | null {
  const place = kept.findLastIndex((index) => !table.columns[index]!.isNumber);
  return place > 0 ? place : null;
}

/** Letters, not code units; wide ones of East Asia are not told apart. */
function lengthOf(text: string): number {
  return [...text].length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

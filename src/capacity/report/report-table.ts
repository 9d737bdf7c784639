// A table of the report as plain values: made once from report.json, printed by the terminal, the Markdown and the page,
// each in its way. Cells hold finished texts, so that all three show the same figures.

export type Tone = "plain" | "strong" | "good" | "bad" | "quiet";

export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

export interface Column {
  readonly head: string;
  readonly isNumber: boolean;
  /** 0 is always shown; where the width does not suffice, the highest go first. */
  readonly rank: number;
}

export interface Table {
  readonly columns: readonly Column[];
  /** Each as long as columns. */
  readonly rows: readonly (readonly Cell[])[];
}

export function numberColumn(head: string, rank = 0): Column {
  return { head, isNumber: true, rank };
}

export function textColumn(head: string, rank = 0): Column {
  return { head, isNumber: false, rank };
}

/** A cell; "unknown" is quiet of itself. */
export function cell(text: string, tone: Tone = "plain"): Cell {
  return { text, tone: text === "unknown" && tone !== "bad" ? "quiet" : tone };
}

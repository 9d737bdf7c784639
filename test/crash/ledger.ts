// What the oracle knows: which metrics were sent, and which of them the server answered for. Each metric is one number,
// used once, and everything else in its line follows from it, so that a line of the log can be compared as a whole.

import { logLines } from "../support/log-files.ts";

/** Problems that are told one by one; a broken log would otherwise fill the screen. */
const PROBLEMS_MAX = 10;
const PAD = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(8);

export interface Verdict {
  lines: number;
  /** Lines that nobody was promised: sent, stored, and the answer died with the server. */
  linesUnacknowledged: number;
  lost: number;
  twice: number;
  strange: number;
  /** The first few, for a person. */
  problems: string[];
}

export class Ledger {
  /** Acknowledged metrics, as their numbers. */
  private readonly acknowledged = new Set<number>();
  private readonly client: string;
  sentMetrics = 0;
  sentBatches = 0;
  acknowledgedBatches = 0;

  constructor(client: string) {
    this.client = client;
  }

  get acknowledgedMetrics(): number {
    return this.acknowledged.size;
  }

  /** Takes the next `count` numbers; returns the first. */
  take(count: number): number {
    const first = this.sentMetrics;
    this.sentMetrics += count;
    this.sentBatches++;
    return first;
  }

  acknowledge(first: number, count: number): void {
    this.acknowledgedBatches++;
    for (let number = first; number < first + count; number++) this.acknowledged.add(number);
  }

  /** Every acknowledged metric once, every line sent, every line whole. */
  verify(data: string): Verdict {
    const seen = new Set<number>();
    const verdict: Verdict = {
      lines: 0,
      linesUnacknowledged: 0,
      lost: 0,
      twice: 0,
      strange: 0,
      problems: [],
    };
    const tell = (problem: string): void => {
      if (verdict.problems.length < PROBLEMS_MAX) verdict.problems.push(problem);
    };
    for (const { file, text } of logLines(data)) {
      verdict.lines++;
      const number = Number(/"value":(\d+),/.exec(text)?.[1] ?? Number.NaN);
      if (!(number < this.sentMetrics) || text !== lineOf(number, this.client)) {
        verdict.strange++;
        tell(`${file} has a line that was never sent: ${text}`);
      } else if (seen.has(number)) {
        verdict.twice++;
        tell(`${file} has metric ${number} again`);
      } else {
        seen.add(number);
        if (!this.acknowledged.has(number)) verdict.linesUnacknowledged++;
      }
    }
    for (const number of this.acknowledged) {
      if (seen.has(number)) continue;
      verdict.lost++;
      tell(`metric ${number} was acknowledged and is not in the log`);
    }
    return verdict;
  }
}

/** A batch of the metrics [first, first + count) as it is sent. */
export function bodyOf(first: number, count: number): string {
  const metrics: string[] = [];
  for (let number = first; number < first + count; number++) {
    metrics.push(
      `{"name":"oracle","value":${number},"type":"counter","tags":{"pad":"${padOf(number)}"},"timestamp":${timestampOf(number)}}`,
    );
  }
  return `{"metrics":[${metrics.join(",")}]}`;
}

/** The line that it must become. */
function lineOf(number: number, client: string): string {
  return `{"ts":${timestampOf(number)},"name":"oracle","value":${number},"type":"counter","tags":{"pad":"${padOf(number)}"},"client":"${client}"}`;
}

function timestampOf(number: number): number {
  return 1_763_890_000_000 + number;
}

/** Lengths that share no factor with a page, so that commits end anywhere in one. */
function padOf(number: number): string {
  return PAD.slice(0, number % 151);
}

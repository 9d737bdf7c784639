// What the oracle knows: which metrics were sent, and which of them the server answered for, with which promise. Each metric
// is one number, used once, and everything else in its line follows from it, so that a line of the log can be compared as
// a whole. Numbers are taken in phases, one for each fault, so that a loss can be laid at a fault's door.

import { type LogLine, logLines } from "../support/log-files.ts";

/** Problems that are told one by one; a broken log would otherwise fill the screen. */
const PROBLEMS_MAX = 10;
const PAD = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(8);

/** The promises that survive a process, for as long as its data folder is there. */
export const LEVELS = ["written", "synced"] as const;
export type Level = (typeof LEVELS)[number];
export type CountByLevel = Record<Level, number>;
/** And the one that survives the folder. */
export const PROMISES_KEPT = [...LEVELS, "replicated"] as const;
export type PromiseKept = (typeof PROMISES_KEPT)[number];

export interface Verdict {
  lines: number;
  /** Lines that nobody was promised: sent, stored, and the answer died with the server. */
  linesUnacknowledged: number;
  lost: number;
  lostByLevel: Record<PromiseKept, number>;
  lostByPhase: Record<string, number>;
  twice: number;
  strange: number;
  /** Refused as stored nowhere, and there all the same. */
  refused: number;
  /** The first few, for a person. */
  problems: string[];
}

export class Ledger {
  /** Acknowledged metrics, as their numbers. */
  private readonly acknowledged: Record<PromiseKept, Set<number>> = {
    written: new Set(),
    synced: new Set(),
    replicated: new Set(),
  };
  private readonly refused = new Set<number>();
  private readonly client: string;
  private readonly phases: { name: string; first: number }[] = [{ name: "start", first: 0 }];
  sentMetrics = 0;
  sentBatches = 0;
  acknowledgedBatches = 0;

  constructor(client: string) {
    this.client = client;
  }

  get acknowledgedMetrics(): number {
    return PROMISES_KEPT.reduce((sum, level) => sum + this.acknowledged[level].size, 0);
  }

  get refusedMetrics(): number {
    return this.refused.size;
  }

  acknowledgedAt(level: PromiseKept): number {
    return this.acknowledged[level].size;
  }

  /** How many of the numbers taken in each phase were acknowledged. */
  acknowledgedByPhase(): Record<string, number> {
    return this.countByPhase(PROMISES_KEPT.flatMap((level) => [...this.acknowledged[level]]));
  }

  /** What is taken from here on belongs to this phase. */
  beginPhase(name: string): void {
    this.phases.push({ name, first: this.sentMetrics });
  }

  /** Takes the next `count` numbers; returns the first. */
  take(count: number): number {
    const first = this.sentMetrics;
    this.sentMetrics += count;
    this.sentBatches++;
    return first;
  }

  acknowledge(first: number, count: number, level: PromiseKept = "written"): void {
    this.acknowledgedBatches++;
    for (let number = first; number < first + count; number++) this.acknowledged[level].add(number);
  }

  /** The server said that it stored nothing of it. */
  refuse(first: number, count: number): void {
    for (let number = first; number < first + count; number++) this.refused.add(number);
  }

  /** Its folder is gone, and with it what it was promised for: there it may still be, once. */
  release(first: number, count: number): void {
    for (const level of LEVELS)
      for (let number = first; number < first + count; number++) this.acknowledged[level].delete(number);
  }

  /** Over all the folders: every acknowledged metric once, every line sent, every line whole. */
  verify(...folders: readonly string[]): Verdict {
    const seen = new Set<number>();
    const verdict: Verdict = {
      lines: 0,
      linesUnacknowledged: 0,
      lost: 0,
      lostByLevel: { written: 0, synced: 0, replicated: 0 },
      lostByPhase: {},
      twice: 0,
      strange: 0,
      refused: 0,
      problems: [],
    };
    const tell = (problem: string): void => {
      if (verdict.problems.length < PROBLEMS_MAX) verdict.problems.push(problem);
    };
    for (const { file, text } of linesOf(folders)) {
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
        if (!PROMISES_KEPT.some((level) => this.acknowledged[level].has(number)))
          verdict.linesUnacknowledged++;
        if (this.refused.has(number)) {
          verdict.refused++;
          tell(`${file} has metric ${number}, which was refused as stored nowhere`);
        }
      }
    }
    const lost: number[] = [];
    for (const level of PROMISES_KEPT) {
      for (const number of this.acknowledged[level]) {
        if (seen.has(number)) continue;
        lost.push(number);
        verdict.lostByLevel[level]++;
        tell(`metric ${number} was acknowledged as ${level} and is not in the log`);
      }
    }
    verdict.lost = lost.length;
    verdict.lostByPhase = this.countByPhase(lost);
    return verdict;
  }

  private countByPhase(numbers: readonly number[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const number of numbers) {
      const { name } = this.phases.findLast(({ first }) => first <= number)!;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }
}

function* linesOf(folders: readonly string[]): Generator<LogLine> {
  for (const folder of folders) yield* logLines(folder);
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

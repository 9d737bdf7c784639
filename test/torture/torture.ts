// The scheduler: one fault after another on one bed, in an order that follows from the seed; every so many faults the log
// is read back and a fresh folder begun, so that neither disk nor memory fills. A problem ends its bed and no more.
//
// The order and the settings follow from the seed; the moments are real time and do not.

import type { Verdict } from "../crash/ledger.ts";
import { type Random, randomFrom } from "../crash/random.ts";
import { Bed } from "./bed.ts";
import type { Fault } from "./fault.ts";

/** Injected into one folder at most. */
const FOLDER_FAULTS = 10;

export interface Tally {
  readonly fault: Fault;
  times: number;
  /** Metrics sent from its beginning to the next fault's, and answered 200; and how many of them are not in the log. */
  acknowledged: number;
  lost: number;
  /** From its end to a server that stores on every thread, the longest. */
  servingMsMax: number;
  problems: number;
}

export interface TortureRun {
  readonly seed: number;
  readonly tallies: readonly Tally[];
  /** Everything found, each with the seed and the faults before it. */
  readonly problems: string[];
  /** Times that the account was looked at and held. */
  accounts: number;
  folders: number;
  lines: number;
  acknowledged: number;
  lost: number;
  twice: number;
  strange: number;
}

export interface TortureOptions {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** The faults take their least time. */
  readonly isBrief: boolean;
  /** Asked before each fault. */
  isOver(run: TortureRun): boolean;
  progress(line: string): void;
}

export async function runTorture(options: TortureOptions): Promise<TortureRun> {
  const { seed, faults, progress } = options;
  const run: TortureRun = {
    seed,
    tallies: faults.map((fault) => ({
      fault,
      times: 0,
      acknowledged: 0,
      lost: 0,
      servingMsMax: 0,
      problems: 0,
    })),
    problems: [],
    accounts: 0,
    folders: 0,
    lines: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    strange: 0,
  };
  const random = randomFrom(seed);
  const next = rounds(run.tallies, random);
  while (!options.isOver(run)) {
    await tortureFolder(run, next, options, random);
    progress(
      `${injected(run)} faults: ${run.lost} lost of ${run.acknowledged}, ${run.problems.length} problems`,
    );
  }
  return run;
}

export function injected(run: TortureRun): number {
  return run.tallies.reduce((sum, { times }) => sum + times, 0);
}

/** Every fault once, in an order by chance, and so on: none is left out for long. */
function rounds(tallies: readonly Tally[], random: Random): () => Tally {
  let round: Tally[] = [];
  return () => {
    if (round.length === 0) round = [...tallies];
    return round.splice(Math.floor(random() * round.length), 1)[0]!;
  };
}

async function tortureFolder(
  run: TortureRun,
  next: () => Tally,
  options: TortureOptions,
  random: Random,
): Promise<void> {
  const done: string[] = [];
  const note = (problem: string): void => {
    const text = `seed ${run.seed}, folder ${run.folders}, after ${done.join(", ")}: ${problem}`;
    run.problems.push(text);
    options.progress(text);
  };
  const bed = await Bed.open(random, options.isBrief);
  run.folders++;
  for (let fault = 0; fault < FOLDER_FAULTS && !options.isOver(run); fault++) {
    const tally = next();
    done.push(tally.fault.name);
    tally.times++;
    bed.ledger.beginPhase(tally.fault.name);
    try {
      await tally.fault.run(bed);
      tally.servingMsMax = Math.max(tally.servingMsMax, await bed.serves());
      await bed.rest();
      run.accounts++;
    } catch (error) {
      tally.problems++;
      note(error instanceof Error ? (error.stack ?? error.message) : String(error));
      await bed.abandon();
      break;
    }
  }
  await readBack(run, bed, note);
}

async function readBack(run: TortureRun, bed: Bed, note: (problem: string) => void): Promise<void> {
  let verdict: Verdict;
  try {
    verdict = await bed.close();
  } catch (error) {
    note(`the log could not be read back: ${error}`);
    return;
  }
  for (const problem of verdict.problems) note(problem);
  run.lines += verdict.lines;
  run.acknowledged += bed.ledger.acknowledgedMetrics;
  run.lost += verdict.lost;
  run.twice += verdict.twice;
  run.strange += verdict.strange;
  const acknowledged = bed.ledger.acknowledgedByPhase();
  for (const tally of run.tallies) {
    tally.acknowledged += acknowledged[tally.fault.name] ?? 0;
    tally.lost += verdict.lostByPhase[tally.fault.name] ?? 0;
  }
}

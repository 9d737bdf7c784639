// The cluster's oracle: beds one after another, on each two sequences of faults beside each other, in an order that follows from
// the seed; then the load ends, everything reaches the stores, and these are compared with what was acknowledged.
//
//     NATS nodes      kill ── cut off ─────── pause ── …      each fault ends when the cluster is whole again and takes batches
//     around them     drain kill ─ ingest lost ─ drain pause ─ …
//
// The orders follow from the seed; the moments are real time and do not. A problem ends its bed and no more.

import type { Verdict } from "../crash/ledger.ts";
import { type Random, randomFrom } from "../crash/random.ts";
import { Bed } from "./bed.ts";
import type { Fault } from "./fault.ts";
import type { Faults } from "./faults.ts";

/** Injected into one bed at most, so that neither disk nor memory fills. */
const BED_FAULTS = 30;

export interface Tally {
  readonly fault: Fault;
  times: number;
  /** Metrics sent from its beginning to the next fault's, and answered 200; and how many of them are in no store. */
  acknowledged: number;
  lost: number;
  /** From its end to a batch replicated by every node, the longest; of faults of the NATS nodes. */
  servingMsMax: number;
  problems: number;
}

export interface ClusterRun {
  readonly seed: number;
  readonly tallies: readonly Tally[];
  /** Everything found, each with the seed and the faults before it. */
  readonly problems: string[];
  beds: number;
  lines: number;
  linesUnacknowledged: number;
  acknowledged: number;
  acknowledgedReplicated: number;
  lost: number;
  twice: number;
  strange: number;
  /** Metrics refused as stored nowhere, and how many of them are there all the same. */
  refused: number;
  refusedThere: number;
  /** Times that a NATS node did not catch up until it was started again: nothing of ours, and told. */
  natsRepairs: number;
  /** That the stream had lost, by the nodes' words. */
  linesSentAgain: number;
}

export interface ClusterOptions {
  readonly seed: number;
  readonly faults: Faults;
  /** One bed, on which each fault is injected once and takes its least time. */
  readonly isBrief: boolean;
  /** Asked before each fault. */
  isOver(run: ClusterRun): boolean;
  progress(line: string): void;
}

export async function runCluster(options: ClusterOptions): Promise<ClusterRun> {
  const { seed, faults, isBrief, progress } = options;
  const tallyOf = (fault: Fault): Tally => ({
    fault,
    times: 0,
    acknowledged: 0,
    lost: 0,
    servingMsMax: 0,
    problems: 0,
  });
  const sequences = [faults.nats.map(tallyOf), faults.around.map(tallyOf)] as const;
  const run: ClusterRun = {
    seed,
    tallies: sequences.flat(),
    problems: [],
    beds: 0,
    lines: 0,
    linesUnacknowledged: 0,
    acknowledged: 0,
    acknowledgedReplicated: 0,
    lost: 0,
    twice: 0,
    strange: 0,
    refused: 0,
    refusedThere: 0,
    natsRepairs: 0,
    linesSentAgain: 0,
  };
  const random = randomFrom(seed);
  const nexts = sequences.map((tallies) => rounds(tallies, randomFrom(Math.floor(random() * 2 ** 32))));
  do {
    await attackBed(run, nexts, options, random);
    progress(
      `${injected(run)} faults: ${run.lost} lost of ${run.acknowledged}, ${run.linesSentAgain} sent again, ${run.problems.length} problems`,
    );
  } while (!isBrief && !options.isOver(run));
  return run;
}

export function injected(run: ClusterRun): number {
  return run.tallies.reduce((sum, { times }) => sum + times, 0);
}

/** Every fault once, in an order by chance, and so on: none is left out for long. */
function rounds(tallies: readonly Tally[], random: Random): Sequence {
  let round: Tally[] = [];
  return {
    length: tallies.length,
    next() {
      if (round.length === 0) round = [...tallies];
      return round.splice(Math.floor(random() * round.length), 1)[0]!;
    },
  };
}

interface Sequence {
  readonly length: number;
  next(): Tally;
}

async function attackBed(
  run: ClusterRun,
  sequences: readonly Sequence[],
  options: ClusterOptions,
  random: Random,
): Promise<void> {
  const done: string[] = [];
  let hasProblem = false;
  const note = (problem: string): void => {
    hasProblem = true;
    const text = `seed ${run.seed}, bed ${run.beds}, after ${done.join(", ")}: ${problem}`;
    run.problems.push(text);
    options.progress(text);
  };
  run.beds++;
  let bed: Bed;
  try {
    bed = await Bed.open(random, options.isBrief);
  } catch (error) {
    note(textOf(error));
    return;
  }
  const inject = async ({ length, next }: Sequence, isOfNats: boolean): Promise<void> => {
    for (let mine = 0; !hasProblem; mine++) {
      if (options.isBrief ? mine >= length : done.length >= BED_FAULTS || options.isOver(run)) return;
      const tally = next();
      if (tally.fault.missing?.(bed) != null) continue;
      done.push(tally.fault.name);
      tally.times++;
      bed.ledger.beginPhase(tally.fault.name);
      try {
        await tally.fault.run(bed);
        if (isOfNats) tally.servingMsMax = Math.max(tally.servingMsMax, await bed.serves());
      } catch (error) {
        tally.problems++;
        note(`${tally.fault.name}: ${textOf(error)}`);
      }
    }
  };
  await Promise.all(sequences.map((sequence, at) => inject(sequence, at === 0)));
  run.natsRepairs += bed.natsRepairs;
  if (hasProblem) await bed.abandon();
  else await readBack(run, bed, note);
  for (const node of bed.ingest) run.linesSentAgain += node.linesSentAgain;
}

async function readBack(run: ClusterRun, bed: Bed, note: (problem: string) => void): Promise<void> {
  let verdict: Verdict;
  try {
    verdict = await bed.close();
  } catch (error) {
    note(`the stores could not be read back: ${textOf(error)}`);
    await bed.abandon();
    return;
  }
  for (const problem of verdict.problems) note(problem);
  run.lines += verdict.lines;
  run.linesUnacknowledged += verdict.linesUnacknowledged;
  run.acknowledged += bed.ledger.acknowledgedMetrics;
  run.acknowledgedReplicated += bed.ledger.acknowledgedAt("replicated");
  run.lost += verdict.lost;
  run.twice += verdict.twice;
  run.strange += verdict.strange;
  run.refused += bed.ledger.refusedMetrics;
  run.refusedThere += verdict.refused;
  const acknowledged = bed.ledger.acknowledgedByPhase();
  for (const tally of run.tallies) {
    tally.acknowledged += acknowledged[tally.fault.name] ?? 0;
    tally.lost += verdict.lostByPhase[tally.fault.name] ?? 0;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

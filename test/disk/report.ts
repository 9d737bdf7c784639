// What the disk's long run found, as rows of the reliability page, and on standard error as it goes.

import type { Level } from "../crash/ledger.ts";
import type { ReliabilityRow } from "../reliability/record.ts";
import type { DamageSums } from "./damage-run.ts";
import type { FullDiskRun } from "./full-disk-run.ts";
import type { InjectedRun } from "./injected-run.ts";
import type { KilledRun } from "./killed-run.ts";
import type { DiskKind } from "./small-disk.ts";

/** Asked for: from the return of space to the next 200. */
const AGAIN_MS_MAX = 2000;
const DISK_NAMES: Readonly<Record<DiskKind, string>> = {
  memory: "a tmpfs",
  ext4: "an ext4 on a loop device",
};

export class DiskReport {
  readonly rows: ReliabilityRow[] = [];
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  injected(fault: string, injected: string, runs: readonly InjectedRun[]): void {
    const sum = (count: (run: InjectedRun) => number) => runs.reduce((total, run) => total + count(run), 0);
    const wrong = sum(({ lost, twice, strange, early }) => lost + twice + strange + early);
    const resyncs = sum((run) => run.resyncs);
    const againMsMax = Math.max(...runs.map((run) => run.againMsMax));
    this.add(
      {
        promise: "false-200",
        fault,
        injected,
        times: sum((run) => run.injections),
        lost:
          `${figure(sum(({ lost }) => lost))} of ${figure(sum((run) => run.acknowledgedMetrics))} metrics; ` +
          `${figure(sum(({ early }) => early))} of ${figure(sum((run) => run.acknowledgedBatches))} answers were false`,
        measured:
          againMsMax > 0
            ? `stores again by itself ${figure(againMsMax)} ms after a failure at the worst; ${resyncs} syncs of a failed file`
            : "no answer came before its sync had returned",
        asked: "0 false 200; serves again without help",
        holds: wrong === 0 && resyncs === 0 && Number.isFinite(againMsMax),
      },
      runs.flatMap((run) => run.problems),
    );
  }

  killed(level: Level, run: KilledRun): void {
    this.add(
      {
        promise: level,
        fault: `SIGKILL as it begins, or has just made, its N-th write, fdatasync or fsync, at \`${level}\``,
        injected: `strace; ${run.boundaries.length} boundaries of its calls, ${run.killsWhileStarting} kills within a start`,
        times: run.kills,
        lost: `${figure(run.lost)} of ${figure(run.acknowledgedMetrics)} metrics; ${run.twice} twice, ${run.strange} never sent`,
        measured: `${figure(run.linesUnacknowledged)} lines stored whose answer died`,
        asked: "",
        holds: run.lost + run.twice + run.strange === 0,
      },
      run.problems,
    );
  }

  filled(kind: DiskKind, run: FullDiskRun): void {
    this.add(
      {
        promise: "disk-full",
        fault: `${DISK_NAMES[kind]} is filled under load, by a foreign file and by the log itself, and has room again`,
        injected:
          "a file system of 32 MiB in a mount name space; 503, /health 200 and /ready 503 seen each time",
        times: run.times,
        lost: `${figure(run.lost)} of ${figure(run.acknowledgedMetrics)} metrics; ${run.twice} twice, ${run.strange} never sent`,
        measured: `200 again ${figure(run.againMsMax)} ms after space came back, at the worst`,
        asked: `${figure(AGAIN_MS_MAX)} ms, nothing to restart`,
        holds: run.lost + run.twice + run.strange === 0 && run.againMsMax <= AGAIN_MS_MAX,
      },
      run.problems,
    );
  }

  damaged(where: string, sums: DamageSums): void {
    this.add(
      {
        promise: "corruption",
        fault:
          "a bit flipped, blocks swapped or zeroed, the end cut, in segments and indexes, sealed and open",
        injected: `${where}, while nothing ran; ${figure(sums.rounds)} folders`,
        times: sums.damages,
        lost: `${figure(sums.linesLost)} lines, all in the ${figure(sums.damagedRecords)} damaged records; ${figure(sums.linesKept)} kept`,
        measured:
          `${figure(sums.problems.length)} records missed, wrongly called damaged, or lost though good; ` +
          `${figure(sums.unseen)} lines changed where no index had a checksum yet`,
        asked: "every damaged record found, only damaged records lost",
        holds: sums.problems.length === 0,
      },
      sums.problems,
    );
  }

  private add(row: ReliabilityRow, problems: readonly string[]): void {
    this.rows.push(row);
    console.error(`${row.holds ? "holds" : "DOES NOT HOLD"}: ${JSON.stringify(row)}`);
    for (const problem of problems) console.error(`seed ${this.seed}: ${problem}`);
  }
}

function figure(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

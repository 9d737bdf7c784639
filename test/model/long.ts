// The log on a file system that can lose power, by the hundred thousand: `npm run attack -- model --points N --seed N`, on the
// runtime that runs this file. A point is one crash, a power cut or a kill, between two file operations of the lane or of
// a recovery, with recovery and all checks behind it. The first run that goes wrong is printed, shortened, and ends it.

import { parseArgs } from "node:util";
import { recordRun } from "../reliability/record.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { describeFailure, runPlans } from "./run-plans.ts";
import type { RunCounts } from "./simulated-run.ts";

const POINTS = "100000";

function main(): void {
  const { values } = parseArgs({
    options: {
      points: { type: "string", default: POINTS },
      seed: { type: "string", default: `${Date.now() % 2 ** 31}` },
    },
  });
  const points = wholeNumber("--points", values.points);
  const seed = wholeNumber("--seed", values.seed);
  const startedMs = performance.now();
  const found = runPlans(seed, points, undefined, (counts) => console.error(JSON.stringify(counts)));
  if (found.failed !== null) console.error(describeFailure(found.failed));
  const seconds = (performance.now() - startedMs) / 1000;
  console.error(
    `${found.runs} runs from seed ${seed} in ${Math.round(seconds)} s: ${JSON.stringify(found.counts)}`,
  );
  const command = `npm run attack -- model --points ${points} --seed ${seed}`;
  recordRun("model", command, seconds, rowsOf(found.counts, found.failed === null));
  process.exitCode = found.failed === null ? 0 : 1;
}

function rowsOf(counts: RunCounts, holds: boolean): Parameters<typeof recordRun>[3] {
  const injected = "the log's own code on a file system in memory that knows written from durable";
  const asked = "at least 100,000 crash points";
  const points = `${figure(counts.powerCuts + counts.kills)} crash points`;
  const lost = (batches: number, what: string): string =>
    holds ? `0 of ${figure(batches)} batches ${what}` : "see the run";
  return [
    {
      promise: "synced",
      fault: "a power cut between any two file operations, also of a recovery",
      injected,
      times: counts.powerCuts,
      lost: lost(counts.batchesSynced, "answered at `synced`"),
      measured: points,
      asked,
      holds,
    },
    {
      promise: "written",
      fault: "the process killed between any two file operations, also of a recovery",
      injected,
      times: counts.kills,
      lost: lost(counts.batchesSynced + counts.batchesWritten, "answered at `written` or `synced`"),
      measured: points,
      asked,
      holds,
    },
    {
      promise: "refused",
      fault: "writes, syncs and new files that fail (EIO, ENOSPC, EDQUOT), short writes, then a crash",
      injected,
      times: counts.batchesRefused,
      lost: holds ? "0 refused lines there, 0 lines twice, 0 never sent" : "see the run",
      measured: `${figure(counts.linesChecked)} lines read back`,
      asked,
      holds,
    },
  ];
}

function figure(count: number): string {
  return count.toLocaleString("en-US");
}

main();

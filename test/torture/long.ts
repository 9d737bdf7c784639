// The torture bench by the hour: `npm run torture -- --seed N --minutes M`, on the runtime that runs this file. A row for
// each fault; a run that finds something says what and with which seed, keeps its record and exits 1. `--only NAME` repeats
// one fault, which is how a finding is looked into.

import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { stopServers } from "../support/server-process.ts";
import { FAULTS } from "./faults.ts";
import { runTorture, type Tally, type TortureRun } from "./torture.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
      only: { type: "string" },
    },
  });
  const minutes = positive("--minutes", values.minutes);
  const seed = positive("--seed", values.seed);
  const faults = FAULTS.filter((fault) => {
    if (values.only !== undefined && fault.name !== values.only) return false;
    const missing = fault.missing?.() ?? null;
    if (missing !== null) console.error(`not injected: ${fault.what}, because ${missing}`);
    return missing === null;
  });
  if (faults.length === 0) {
    console.error(
      `cannot run --only ${values.only}; try one of: ${FAULTS.map(({ name }) => name).join("; ")}`,
    );
    process.exit(2);
  }
  const startedMs = performance.now();
  const endMs = startedMs + minutes * 60_000;
  console.error(`seed ${seed}, ${minutes} minutes`);
  const run = await runTorture({
    seed,
    faults,
    isBrief: false,
    isOver: () => performance.now() > endMs,
    progress: (line) => console.error(line),
  });
  await stopServers();
  const rows = [...run.tallies.map(rowOf), strangeRow(run), accountRow(run)];
  for (const { fault, times, lost, measured } of rows)
    console.error(`${fault}: ${times} times, ${lost}; ${measured}`);
  // A part of the faults is no run of the bench.
  if (values.only === undefined) {
    const command = `npm run torture -- --minutes ${minutes} --seed ${seed}`;
    recordRun("torture", command, (performance.now() - startedMs) / 1000, rows);
  }
  process.exitCode = run.problems.length === 0 && rows.every(({ holds }) => holds) ? 0 : 1;
}

function rowOf(tally: Tally): ReliabilityRow {
  const { fault, times, lost, acknowledged, servingMsMax, problems } = tally;
  return {
    promise: fault.promise,
    fault: fault.what,
    injected: fault.injected,
    times,
    lost: `${figure(lost)} of ${figure(acknowledged)} metrics acknowledged`,
    measured:
      problems > 0
        ? `${problems} times something else did not hold`
        : `serving again by itself after ${(servingMsMax / 1000).toFixed(1)} s at most`,
    asked: "0 lost, serving again by itself",
    holds: lost === 0 && problems === 0 && times > 0,
  };
}

function strangeRow(run: TortureRun): ReliabilityRow {
  return {
    promise: "refused",
    fault: "all faults of the torture bench, one after another",
    injected: `as in their own rows; the log read back at the end of each of ${run.folders} folders`,
    times: times(run),
    lost: `${figure(run.lost)} of ${figure(run.acknowledged)} metrics acknowledged`,
    measured: `${run.strange} lines never sent or not whole, ${run.twice} there twice, of ${figure(run.lines)}`,
    asked: "0 and 0",
    holds: run.strange + run.twice + run.lost === 0,
  };
}

function accountRow(run: TortureRun): ReliabilityRow {
  return {
    promise: "accounting",
    fault: "after each fault of the torture bench",
    injected: "GET /stats while the clients rest",
    times: run.accounts,
    lost: "",
    measured: `${run.accounts} accounts looked at, all of them even`,
    asked: "received = stored + rejected",
    holds: run.accounts > 0,
  };
}

function times(run: TortureRun): number {
  return run.tallies.reduce((sum, tally) => sum + tally.times, 0);
}

function figure(count: number): string {
  return count.toLocaleString("en-US");
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  console.error(`cannot use ${flag} ${text} because it must be a number above 0`);
  process.exit(2);
}

await main();

// The cluster's oracle by the hour: `npm run attack -- cluster --seed N --minutes M`, on the runtime that runs this file. A row
// for each fault; a run that finds something says what and with which seed, keeps its record and exits 1. `--only NAME,NAME`
// repeats some faults, which is how a finding is looked into.

import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { natsServerMissing, stopNatsServers } from "../support/nats-server.ts";
import { stopServers } from "../support/server-process.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { type ClusterRun, runCluster, type Tally } from "./cluster.ts";
import { FAULTS, FAULTS_BY_NAME } from "./faults.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
      only: { type: "string" },
    },
  });
  const minutes = wholeNumber("--minutes", values.minutes);
  const seed = wholeNumber("--seed", values.seed);
  if (natsServerMissing !== false) {
    console.error(`cannot attack a cluster because ${natsServerMissing}`);
    process.exit(2);
  }
  const only = values.only?.split(",");
  const named = {
    nats: FAULTS_BY_NAME.nats.filter(({ name }) => only?.includes(name)),
    around: FAULTS_BY_NAME.around.filter(({ name }) => only?.includes(name)),
  };
  const faults = only === undefined ? FAULTS : named;
  if (faults.nats.length + faults.around.length === 0) {
    const names = [...FAULTS_BY_NAME.nats, ...FAULTS_BY_NAME.around].map(({ name }) => name);
    console.error(`cannot run --only ${values.only}; try some of: ${names.join(",")}`);
    process.exit(2);
  }
  const startedMs = performance.now();
  const endMs = startedMs + minutes * 60_000;
  console.error(`seed ${seed}, ${minutes} minutes`);
  const run = await runCluster({
    seed,
    faults,
    isBrief: false,
    isOver: () => performance.now() > endMs,
    progress: (line) => console.error(line),
  });
  await stopServers();
  await stopNatsServers();
  const rows = [...run.tallies.filter(({ times }) => times > 0).map(rowOf), onceRow(run), refusedRow(run)];
  for (const { fault, times, lost, measured } of rows)
    console.error(`${fault}: ${times} times, ${lost}; ${measured}`);
  // A part of the faults is no run of the oracle.
  if (only === undefined) {
    const command = `npm run attack -- cluster --minutes ${minutes} --seed ${seed}`;
    recordRun("cluster", command, (performance.now() - startedMs) / 1000, rows);
  }
  process.exitCode = run.problems.length === 0 && rows.every(({ holds }) => holds) ? 0 : 1;
}

function rowOf({ fault, times, lost, acknowledged, servingMsMax, problems }: Tally): ReliabilityRow {
  const served =
    servingMsMax > 0 ? `replicating again ${(servingMsMax / 1000).toFixed(1)} s later at most` : "";
  return {
    promise: fault.promise,
    fault: fault.what,
    injected: fault.injected,
    times,
    lost: `${figure(lost)} of ${figure(acknowledged)} metrics acknowledged`,
    measured: problems > 0 ? `${problems} times something else did not hold` : served,
    asked: "0 lost",
    holds: lost === 0 && problems === 0,
  };
}

function onceRow(run: ClusterRun): ReliabilityRow {
  const { lines, lost, twice, strange, acknowledged, acknowledgedReplicated } = run;
  return {
    promise: "drained",
    fault: "all of these, beside each other",
    injected: `${figure(run.beds)} times with an empty cluster; every drain's store read back as plain files`,
    times: run.tallies.reduce((sum, { times }) => sum + times, 0),
    lost: `${figure(lost)} of ${figure(acknowledged)} metrics acknowledged, ${figure(acknowledgedReplicated)} of them as replicated`,
    measured: `${figure(twice)} there twice, ${figure(strange)} never sent, of ${figure(lines)} lines; ${figure(run.linesSentAgain)} sent again that the stream had lost`,
    asked: "0 lost, 0 twice, 0 never sent",
    holds: lost + twice + strange === 0 && run.problems.length === 0,
  };
}

function refusedRow({ refused, refusedThere, tallies }: ClusterRun): ReliabilityRow {
  return {
    promise: "refused",
    fault: "503 while the stream is away",
    injected: "every fault of the cluster's oracle",
    times: tallies.reduce((sum, { times }) => sum + times, 0),
    lost: "",
    measured: `${figure(refusedThere)} of ${figure(refused)} metrics refused are stored all the same`,
    asked: "0",
    holds: refusedThere === 0,
  };
}

function figure(count: number): string {
  return count.toLocaleString("en-US");
}

await main();

// The soak by the hour: `npm run attack -- soak --minutes 30 --seed N`, on the runtime that runs this file.

import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { stopServers } from "../support/server-process.ts";
import { DISTURBANCES } from "./disturbances.ts";
import { median, runSoak, type SoakRun } from "./soak.ts";

const QUIET_SECONDS = 60;
const CONNECTIONS = 50;
const RATE = 1_000;
/** Asked of a soak: no more growth than this once it is warm, MiB an hour. */
const GROWTH_MIB_PER_HOUR_MAX = 60;
const DRIFT_MAX = 2;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error("cannot use --minutes or --seed because they must be numbers above 0");
  process.exit(2);
}
const run = await runSoak({
  seed,
  seconds: minutes * 60,
  quietSeconds: QUIET_SECONDS,
  connections: CONNECTIONS,
  rate: RATE,
  disturbances: DISTURBANCES,
  progress: (line) => console.error(line),
});
await stopServers();
for (const problem of [...run.problems, ...run.accountFaults]) console.error(`seed ${seed}: ${problem}`);
const rows = rowsOf(run);
for (const row of rows)
  console.error(`${row.holds ? "holds" : "DOES NOT HOLD"}: ${row.fault}: ${row.measured}`);
recordRun("soak", `npm run attack -- soak --minutes ${minutes} --seed ${seed}`, run.seconds, rows);
process.exitCode = rows.every((row) => row.holds) ? 0 : 1;

function rowsOf(run: SoakRun): ReliabilityRow[] {
  const times = Object.values(run.faults).reduce((sum, count) => sum + count, 0);
  const fault = `${minutes} minutes at ${RATE} batches/s, with ${Object.keys(run.faults).join("; ")}`;
  const injected = "every fault once a cycle, in one server process";
  const isWhole = run.lost + run.twice + run.strange === 0;
  const lost = `${run.lost} of ${run.acknowledgedMetrics.toLocaleString("en-US")} metrics; twice ${run.twice}; never sent ${run.strange}`;
  const row = (measured: string, asked: string, holds: boolean, what: string): ReliabilityRow => ({
    promise: "soak",
    fault: what,
    injected,
    times,
    lost,
    measured,
    asked,
    holds,
  });
  // The first quiet time is before the first fault, and compilers are still at work: it counts for nothing.
  const warm = run.quiets.slice(1);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [early, late] = [warm.slice(0, third), warm.slice(-third)];
  const p99 = (part: typeof warm): number => median(part.map((quiet) => quiet.latencyMsP99));
  const slope = slopePerHour(warm.map((quiet) => [quiet.atSeconds, quiet.memoryMiBMedian]));
  const memory = warm.map((quiet) => quiet.memoryMiBMedian.toFixed(0)).join(", ");
  const descriptors = warm.map((quiet) => quiet.descriptors);
  const grown = median(descriptors.slice(-third)) - median(descriptors.slice(0, third));
  return [
    row(
      `exit ${run.exitCode}`,
      "0 lost, 0 twice, 0 never sent, exit 0",
      isWhole && run.exitCode === 0,
      fault,
    ),
    {
      ...row(
        `${run.accountFaults.length} disagreements`,
        "0",
        run.accountFaults.length === 0,
        "the server's account against the clients', after every cycle of faults",
      ),
      promise: "accounting",
      times: run.accountsCompared,
    },
    row(
      `${slope.toFixed(0)} MiB an hour (medians of quiet minutes: ${memory} MiB)`,
      `≤ ${GROWTH_MIB_PER_HOUR_MAX} MiB an hour once warm`,
      slope <= GROWTH_MIB_PER_HOUR_MAX,
      "memory from cycle to cycle",
    ),
    row(
      descriptors.join(", "),
      "the median of the last third at most that of the first",
      grown <= 0,
      "descriptors from cycle to cycle",
    ),
    row(
      `p99 ${p99(early).toFixed(1)} ms in the first third, ${p99(late).toFixed(1)} ms in the last`,
      `≤ ${DRIFT_MAX} × the first`,
      p99(late) <= DRIFT_MAX * p99(early),
      "latency of quiet minutes from cycle to cycle",
    ),
  ];
}

/** Least squares through [seconds, value]. */
function slopePerHour(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  const under = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return under === 0 ? 0 : (3600 * over) / under;
}

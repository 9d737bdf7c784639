// Overload by the minute: `npm run attack -- overload`, on the runtime that runs this file, some eight minutes. A server
// whose disk is the limit (throttled-disk.ts), at `written` with large batches, which go past the page cache, and at
// `synced`; one whose core is the limit, with small batches and with large ones; and one with a greedy client.
// Server and generator have a core each. Exits 1 where something is answered that must not be; a figure that is not
// reached is recorded as such.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withoutPinning } from "../bottlenecks/permitted.ts";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { type FairnessFound, runFairness } from "./fairness.ts";
import { type LevelsFound, msText, OVERLOADS, runLevels } from "./levels.ts";
import { ThrottledDisk, withoutThrottledDisk } from "./throttled-disk.ts";

const DISK_BYTES_PER_S = 40_000_000;
const GOODPUT_MIN = 0.9;
const LATENCY_TIMES_MAX = 2;
const REFUSAL_MS_MAX = 10;
const BUDGET = 200;
const GREED = 100;
const PERCENT = 100;
/** For a log that no disk may hold up: large batches fill the page cache faster than a disk empties it. */
const MEMORY_FOLDER = "/dev/shm";

interface Scenario {
  readonly name: string;
  readonly injected: string;
  readonly isDisk: boolean;
  readonly ack: string;
  readonly clients: number;
  readonly peakClients: number;
  readonly metrics: number;
}

const ONE_DISK = "a loop device of 40 MB/s by a control group (blkio.throttle)";
const ONE_CORE = "server and generator on one core each, the log in memory (tmpfs)";
const SCENARIOS: readonly Scenario[] = [
  {
    name: "the disk, at written",
    injected: ONE_DISK,
    isDisk: true,
    ack: "written",
    clients: 64,
    peakClients: 8,
    metrics: 1000,
  },
  {
    name: "the disk, at synced",
    injected: ONE_DISK,
    isDisk: true,
    ack: "synced",
    clients: 256,
    peakClients: 64,
    metrics: 100,
  },
  {
    name: "the core, small batches",
    injected: ONE_CORE,
    isDisk: false,
    ack: "written",
    clients: 64,
    peakClients: 64,
    metrics: 3,
  },
  {
    name: "the core, large batches",
    injected: ONE_CORE,
    isDisk: false,
    ack: "written",
    clients: 16,
    peakClients: 16,
    metrics: 1000,
  },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "4" },
      only: { type: "string", default: "" },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const isPinned = withoutPinning() === null;
  const [serverWrapper, wrapper] = isPinned
    ? [
        ["taskset", "-c", "0"],
        ["taskset", "-c", "1"],
      ]
    : [[], []];
  const startedMs = performance.now();
  const rows: ReliabilityRow[] = [];
  const problems: string[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => name.includes(values.only))) {
    const reason = scenario.isDisk ? withoutThrottledDisk() : null;
    if (reason !== null) {
      console.error(`${scenario.name}: left out, ${reason}`);
      continue;
    }
    const found = await withServer(scenario, serverWrapper, (server) =>
      runLevels({ ...scenario, port: server.port, rounds, seconds, wrapper }),
    );
    rows.push(...levelRows(scenario, found, rounds));
    problems.push(...found.problems.map((problem) => `${scenario.name}: ${problem}`));
  }
  if ("fairness".includes(values.only)) {
    const found = await runFairness({
      budget: BUDGET,
      times: GREED,
      rounds,
      seconds,
      serverWrapper,
      wrapper,
    });
    rows.push(fairnessRow(found, rounds));
    problems.push(...found.problems);
  }
  for (const problem of problems) console.error(problem);
  for (const row of rows)
    console.error(`${row.holds ? "holds" : "does not hold"}: ${row.fault}: ${row.measured}`);
  if (values.only === "") {
    const command = `npm run attack -- overload --rounds ${rounds} --seconds ${seconds}`;
    recordRun("overload", command, (performance.now() - startedMs) / 1000, rows);
  }
  process.exitCode = problems.length === 0 ? 0 : 1;
}

async function withServer<T>(
  scenario: Scenario,
  wrapper: readonly string[],
  run: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const flags = ["--threads", "1", "--rate-limit", "0", "--ack", scenario.ack, "--retention-size", "1GiB"];
  const disk = scenario.isDisk ? ThrottledDisk.make(DISK_BYTES_PER_S) : null;
  const memory = mkdtempSync(`${MEMORY_FOLDER}/tidemark-overload-`);
  const server = await (disk?.startServer(flags, wrapper) ??
    startServer(flags, { wrapper, data: join(memory, "data") }));
  try {
    return await run(server);
  } finally {
    await server.stop();
    disk?.remove();
    rmSync(memory, { recursive: true, force: true });
    await stopServers();
  }
}

function levelRows(scenario: Scenario, found: LevelsFound, rounds: number): ReliabilityRow[] {
  const steps = [...found.overloads.values()];
  const times = rounds * OVERLOADS.length;
  const row = (what: string, measured: string, asked: string, holds: boolean, lost = ""): ReliabilityRow => ({
    promise: "overload",
    fault: `more than ${scenario.name} can take: ${what}`,
    injected: `open loop of ${scenario.clients} connections, ${scenario.metrics} metrics a batch; ${scenario.injected}`,
    times,
    lost,
    measured,
    asked,
    holds,
  });
  const goodput = steps.map(({ share }) => share);
  const accepted = steps.map(({ acceptedMsP99 }) => acceptedMsP99);
  const refused = steps.flatMap(({ refusedMsP99 }) => (refusedMsP99 === null ? [] : [refusedMsP99]));
  const { before, after } = found;
  const at = (texts: readonly string[]): string => `${texts.join(", ")} at ${OVERLOADS.join(", ")} times`;
  const rows = [
    row(
      "goodput",
      `${at(goodput.map((share) => `${Math.round(share * PERCENT)} %`))} of the same round's peak, ${Math.round(found.peak.rate).toLocaleString("en-US")} batches/s`,
      `at least ${GOODPUT_MIN * PERCENT} % of the peak`,
      Math.min(...goodput) >= GOODPUT_MIN,
    ),
    row(
      "wait of the accepted, from their send",
      `p99 ${at(accepted.map(msText))}; ${msText(before.acceptedMsP99)} at 0.8, ${msText(found.peak.acceptedMsP99)} at the peak`,
      `at most ${LATENCY_TIMES_MAX} times that at 0.8`,
      Math.max(...accepted) <= LATENCY_TIMES_MAX * before.acceptedMsP99,
    ),
    row(
      "health, readiness and figures",
      `p99 ${msText(found.pagesMsP99)} of ${found.pages.toLocaleString("en-US")} answers`,
      "all answered",
      found.problems.length === 0,
      `${found.problems.length} unanswered or wrong`,
    ),
    row(
      "after it",
      `first batch ${msText(found.firstAfterMs)}; at 0.8 p99 ${msText(after.acceptedMsP99)} after, ${msText(before.acceptedMsP99)} before; ${(after.success * PERCENT).toFixed(1)} % taken after, ${(before.success * PERCENT).toFixed(1)} % before`,
      "as before it, at once",
      after.acceptedMsP99 <= LATENCY_TIMES_MAX * before.acceptedMsP99 &&
        after.success >= before.success - 0.01,
    ),
  ];
  if (refused.length > 0)
    rows.push(
      row(
        "refusals",
        `p99 ${at(steps.map(({ refusedMsP99 }) => msText(refusedMsP99)))}, ${found.refusals.toLocaleString("en-US")} in all; each that was looked at said Retry-After`,
        `p99 at most ${REFUSAL_MS_MAX} ms, with Retry-After`,
        Math.max(...refused) <= REFUSAL_MS_MAX,
      ),
    );
  return rows;
}

function fairnessRow(found: FairnessFound, rounds: number): ReliabilityRow {
  const isWithin = found.besideMsP99 <= LATENCY_TIMES_MAX * found.aloneMsP99;
  const isExact = Math.abs(found.greedyTaken / BUDGET - 1) < 0.02;
  return {
    promise: "fairness",
    fault: `a client that offers ${GREED} times its ${BUDGET} requests a second, beside one at 80 % of its own`,
    injected: `two open loops on one core, the greedy one at a lower priority; the server on the other`,
    times: rounds,
    lost: `${found.failures} requests of the other client failed`,
    measured: `p99 ${msText(found.besideMsP99)} beside it, ${msText(found.aloneMsP99)} alone, from the planned send; the greedy one sent ${Math.round(found.greedySent).toLocaleString("en-US")}/s, had ${Math.round(found.greedyTaken)}/s taken and ${Math.round(found.greedyRefused).toLocaleString("en-US")}/s refused by 429`,
    asked: `p99 at most ${LATENCY_TIMES_MAX} times that alone; no failure; no more than its budget taken`,
    holds: isWithin && isExact && found.failures === 0,
  };
}

await main();

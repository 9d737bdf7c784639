// The oracle by the hour: `npm run attack -- crash --kills 500 --seed N` kills that many times under load on each runtime.
// Every FOLDER_KILLS kills the log is read back and a new folder begun, so that neither disk nor memory fills. A run that
// finds something wrong says what, keeps its record and exits 1.

import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { stopServers } from "../support/server-process.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { type CountByLevel, LEVELS, type Level } from "./ledger.ts";
import { runOracle } from "./oracle.ts";

const FOLDER_KILLS = 50;

interface Sums {
  kills: number;
  killsWhileStarting: number;
  killsByLevel: CountByLevel;
  acknowledgedByLevel: CountByLevel;
  lostByLevel: CountByLevel;
  lines: number;
  linesUnacknowledged: number;
  quarantinedBytes: number;
  twice: number;
  strange: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "500" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
    },
  });
  const kills = wholeNumber("--kills", values.kills);
  const seed = wholeNumber("--seed", values.seed);
  const startedMs = performance.now();
  const sums: Sums = {
    kills: 0,
    killsWhileStarting: 0,
    killsByLevel: { written: 0, synced: 0 },
    acknowledgedByLevel: { written: 0, synced: 0 },
    lostByLevel: { written: 0, synced: 0 },
    lines: 0,
    linesUnacknowledged: 0,
    quarantinedBytes: 0,
    twice: 0,
    strange: 0,
  };
  for (let done = 0; done < kills; done += FOLDER_KILLS) {
    // Each folder has its own plan, and each plan can be run alone.
    const run = await runOracle(Math.min(FOLDER_KILLS, kills - done), seed + done);
    for (const column of ["kills", "killsWhileStarting", "lines", "linesUnacknowledged"] as const)
      sums[column] += run[column];
    for (const column of ["quarantinedBytes", "twice", "strange"] as const) sums[column] += run[column];
    for (const column of ["killsByLevel", "acknowledgedByLevel", "lostByLevel"] as const)
      for (const level of LEVELS) sums[column][level] += run[column][level];
    console.error(`${Math.min(done + FOLDER_KILLS, kills)} of ${kills} kills: ${JSON.stringify(sums)}`);
    for (const problem of run.problems) console.error(`seed ${run.seed}: ${problem}`);
    await stopServers();
  }
  const rows = rowsOf(sums);
  const command = `npm run attack -- crash --kills ${kills} --seed ${seed}`;
  recordRun("crash", command, (performance.now() - startedMs) / 1000, rows);
  process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;
}

function rowsOf(sums: Sums): ReliabilityRow[] {
  const injected = "kill(2) from the clients' process at random moments; the log read back as plain files";
  const rows = LEVELS.map((level: Level): ReliabilityRow => {
    const lost = sums.lostByLevel[level];
    return {
      promise: level,
      fault: `SIGKILL under load, the server at \`${level}\``,
      injected,
      times: sums.killsByLevel[level],
      lost: `${figure(lost)} of ${figure(sums.acknowledgedByLevel[level])} metrics acknowledged so`,
      measured: "",
      asked: "",
      holds: lost === 0,
    };
  });
  const lost = sums.lostByLevel.written + sums.lostByLevel.synced;
  const acknowledged = sums.acknowledgedByLevel.written + sums.acknowledgedByLevel.synced;
  const wrong = sums.twice + sums.strange;
  return [
    ...rows,
    {
      promise: "written",
      fault: "SIGKILL while it starts and recovers",
      injected: "kill(2) 30 to 400 ms after the process was born",
      times: sums.killsWhileStarting,
      lost: `${figure(lost)} of ${figure(acknowledged)} metrics in the same folders`,
      measured: "",
      asked: "",
      holds: lost === 0,
    },
    {
      promise: "refused",
      fault: "SIGKILL under load or while it starts",
      injected,
      times: sums.kills,
      lost: `${figure(sums.strange)} lines never sent, ${figure(sums.twice)} there twice, of ${figure(sums.lines)}`,
      measured: `${figure(sums.linesUnacknowledged)} stored whose answer died; ${figure(sums.quarantinedBytes)} bytes put aside`,
      asked: "0 never sent, 0 twice",
      holds: wrong === 0,
    },
  ];
}

function figure(count: number): string {
  return count.toLocaleString("en-US");
}

await main();

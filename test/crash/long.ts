// The oracle by the hour: `npm run crash -- --kills 1000 --seed N`, on the runtime that runs this file. Every
// FOLDER_KILLS kills the log is read back and a new folder begun, so that neither disk nor memory fills. The figures go
// into docs/crash-runs.md, a row a run; a run that finds something wrong says what, keeps its row and exits 1.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { IS_BUN, stopServers } from "../support/server-process.ts";
import { type OracleRun, runOracle } from "./oracle.ts";

const FOLDER_KILLS = 50;
const TABLE = fileURLToPath(new URL("../../docs/crash-runs.md", import.meta.url));
const RUNTIME = IS_BUN ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;
const INTRODUCTION = `# Crash runs
What \`npm run crash\` found, a row a run; the rows are written by the run itself. The server is killed with SIGKILL at
random moments under load, or while it starts, and started again on the same folder with other settings. *Lost*,
*twice* and *never sent* must be 0: metrics that were answered with 200 and are not in the log, that are there more than
once, and lines that no client sent. *Unanswered* lines were stored, but their answer died with the server.

| runtime | seed | kills | of them while starting | batches answered 200 | metrics in them | lines in the log | unanswered | quarantined bytes | lost | twice | never sent |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

const COLUMNS = [
  "kills",
  "killsWhileStarting",
  "acknowledgedBatches",
  "acknowledgedMetrics",
  "lines",
  "linesUnacknowledged",
  "quarantinedBytes",
  "lost",
  "twice",
  "strange",
] as const satisfies readonly (keyof OracleRun)[];

type Sums = Record<(typeof COLUMNS)[number], number>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "1000" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
    },
  });
  const kills = wholeNumber("--kills", values.kills);
  const seed = wholeNumber("--seed", values.seed);
  const sums = Object.fromEntries(COLUMNS.map((column) => [column, 0])) as Sums;
  for (let done = 0; done < kills; done += FOLDER_KILLS) {
    // Each folder has its own plan, and each plan can be run alone.
    const run = await runOracle(Math.min(FOLDER_KILLS, kills - done), seed + done);
    for (const column of COLUMNS) sums[column] += run[column];
    console.error(`${Math.min(done + FOLDER_KILLS, kills)} of ${kills} kills: ${JSON.stringify(sums)}`);
    for (const problem of run.problems) console.error(`seed ${run.seed}: ${problem}`);
    await stopServers();
  }
  const row = [RUNTIME, seed, ...COLUMNS.map((column) => sums[column].toLocaleString("en-US"))];
  const before = existsSync(TABLE) ? readFileSync(TABLE, "utf8") : INTRODUCTION;
  writeFileSync(TABLE, `${before}| ${row.join(" | ")} |\n`);
  process.exitCode = sums.lost + sums.twice + sums.strange === 0 ? 0 : 1;
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`cannot use ${flag} ${text} because it must be a whole number above 0`);
  process.exit(2);
}

await main();

// Restarts with much log: `npm run attack -- restart --gib 1,10 --rounds 3`. For each size a folder is made, and started on
// as a clean stop and kills leave it, with the page cache dropped. Asked: 2 s with 1 GiB and 10 s with 10 GiB to the first
// batch answered, 64 MiB above a start on an empty folder, no line lost that was whole. It exits 1 where one does not hold.

import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { newDataFolder, stopServers } from "../support/server-process.ts";
import { ENDS, type End, type MadeLog, makeLog } from "./made-log.ts";
import { firstAnswer, type Restart, restart } from "./restarts.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const RESIDENT_BYTES_MAX = 64 * MIB;
/** To the first answer, by log in GiB; larger logs may take the last. */
const MS_MAX: readonly (readonly [gib: number, ms: number])[] = [
  [1, 2_000],
  [10, 10_000],
];
const INJECTED = "segments written through src/log, page cache dropped with posix_fadvise";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      gib: { type: "string", default: "1,10" },
      rounds: { type: "string", default: "3" },
    },
  });
  const sizes = values.gib.split(",").map((text) => wholeNumber("--gib", text));
  const rounds = wholeNumber("--rounds", values.rounds);
  const startedMs = performance.now();
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) empty.push((await firstAnswer(newDataFolder())).residentBytes);
  const emptyBytes = median(empty);
  console.error(`empty folder: ${mebibytes(emptyBytes)} resident`);
  const rows: ReliabilityRow[] = [];
  for (const gib of sizes) rows.push(...(await measure(gib, rounds, emptyBytes)));
  const seconds = (performance.now() - startedMs) / 1000;
  recordRun("restart", `npm run attack -- restart --gib ${values.gib} --rounds ${rounds}`, seconds, rows);
  process.exitCode = rows.every((row) => row.holds) ? 0 : 1;
}

async function measure(gib: number, rounds: number, emptyBytes: number): Promise<ReliabilityRow[]> {
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize < (gib + 2) * GIB)
    throw new Error(
      `cannot make a log of ${gib} GiB because ${tmpdir()} has no room for it; try a smaller --gib`,
    );
  console.error(`${gib} GiB: making the log`);
  try {
    const log = makeLog(newDataFolder(), gib * GIB);
    const rows: ReliabilityRow[] = [];
    for (const end of Object.keys(ENDS) as End[])
      rows.push(await measureEnd(log, gib, end, rounds, emptyBytes));
    return rows;
  } finally {
    await stopServers();
  }
}

async function measureEnd(
  log: MadeLog,
  gib: number,
  end: End,
  rounds: number,
  emptyBytes: number,
): Promise<ReliabilityRow> {
  const restarts: Restart[] = [];
  for (let round = 0; round < rounds; round++) restarts.push(await restart(log, end));
  const ms = Math.max(...restarts.map((run) => run.firstAnswerMs));
  const msMedian = median(restarts.map((run) => run.firstAnswerMs));
  const aboveEmpty = Math.max(...restarts.map((run) => run.residentBytes)) - emptyBytes;
  const linesLost = Math.max(...restarts.map((run) => Math.abs(run.linesLost)));
  const damaged = Math.max(...restarts.map((run) => run.damagedRecords));
  const msMax = (MS_MAX.find(([most]) => gib <= most) ?? MS_MAX.at(-1)!)[1];
  const row: ReliabilityRow = {
    promise: "restart",
    fault: `${gib} GiB of log after ${end}`,
    injected: `${INJECTED}; ${ENDS[end]}`,
    times: rounds,
    lost: `${linesLost} whole lines${damaged > 0 ? `, ${damaged} damaged records put aside` : ""}`,
    measured: `first answer after ${seconds(msMedian)} (at most ${seconds(ms)}), ${mebibytes(aboveEmpty)} above a start on an empty folder`,
    asked: `${seconds(msMax)}, ${mebibytes(RESIDENT_BYTES_MAX)}`,
    holds: ms <= msMax && aboveEmpty <= RESIDENT_BYTES_MAX && linesLost === 0,
  };
  console.error(`${row.fault}: ${row.measured}; lost ${row.lost}${row.holds ? "" : ": DOES NOT HOLD"}`);
  return row;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`cannot use ${flag} ${text} because it must be a whole number above 0`);
  process.exit(2);
}

await main();

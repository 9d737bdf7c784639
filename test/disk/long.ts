// The disk by the hour: `npm run attack -- disk --seed N` makes writes and syncs fail, come late and fall short, kills at
// their boundaries, fills disks, and damages files at rest. It exits 1 when one promise did not hold.

import { parseArgs } from "node:util";
import type { Level } from "../crash/ledger.ts";
import { recordRun } from "../reliability/record.ts";
import { stopServers } from "../support/server-process.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { damageMadeLane, damageServer, runDamages } from "./damage-run.ts";
import { runFullDisk } from "./full-disk-run.ts";
import { type InjectedRun, runInjected, runShortWrites } from "./injected-run.ts";
import { DATA_SYNCS, DIRECTORY_SYNCS, type Injection, WRITES } from "./injection.ts";
import { killsUpTo, runKills } from "./killed-run.ts";
import { DiskReport } from "./report.ts";

interface Share {
  readonly level: Level;
  readonly injections: readonly Injection[];
  /** Of all injections. */
  readonly part: number;
}

const failing = (calls: string, code: string, when: string): Injection => ({
  calls,
  fault: `error=${code}`,
  when,
});
const late = (ms: number, when: string): Injection => ({
  calls: DATA_SYNCS,
  fault: `delay_enter=${ms * 1000}`,
  when,
});
const FAILING: Readonly<Record<string, readonly Share[]>> = {
  "EIO on fdatasync": [
    { level: "synced", injections: [failing(DATA_SYNCS, "EIO", "2+3")], part: 0.25 },
    { level: "written", injections: [failing(DATA_SYNCS, "EIO", "2+3")], part: 0.1 },
  ],
  "EIO on fsync of the folder": [
    { level: "synced", injections: [failing(DIRECTORY_SYNCS, "EIO", "3+3")], part: 0.1 },
  ],
  "EIO on write": [
    { level: "synced", injections: [failing(WRITES, "EIO", "6+5")], part: 0.15 },
    { level: "written", injections: [failing(WRITES, "EIO", "6+5")], part: 0.15 },
  ],
  "ENOSPC on write": [{ level: "written", injections: [failing(WRITES, "ENOSPC", "6+5")], part: 0.15 }],
  "ENOSPC on write and EIO on fdatasync": [
    {
      level: "synced",
      injections: [failing(WRITES, "ENOSPC", "7+7"), failing(DATA_SYNCS, "EIO", "4+4")],
      part: 0.15,
    },
  ],
};
/** Few and long, and all of them are late. */
const LATE: readonly (readonly [level: Level, ms: number, times: number])[] = [
  ["synced", 100, 20],
  ["synced", 1000, 4],
  ["written", 2000, 3],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      injections: { type: "string", default: "240" },
      "short-writes": { type: "string", default: "30" },
      kills: { type: "string", default: "48" },
      fills: { type: "string", default: "12" },
      damages: { type: "string", default: "500" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
    },
  });
  const size = (flag: Exclude<keyof typeof values, "seed">) => wholeNumber(`--${flag}`, values[flag]);
  const seed = wholeNumber("--seed", values.seed);
  const startedMs = performance.now();
  const report = new DiskReport(seed);
  await failAndDelay(report, size("injections"), seed);
  await fallShort(report, size("short-writes"), seed);
  await killAtBoundaries(report, size("kills"), seed);
  await fillDisks(report, size("fills"), seed);
  await damageFiles(report, size("damages"), seed);
  await stopServers();
  const seconds = (performance.now() - startedMs) / 1000;
  recordRun("disk", `npm run attack -- disk --seed ${seed}`, seconds, report.rows);
  process.exitCode = report.rows.every(({ holds }) => holds) ? 0 : 1;
}

async function failAndDelay(report: DiskReport, injections: number, seed: number): Promise<void> {
  for (const [fault, shares] of Object.entries(FAILING)) {
    const runs: InjectedRun[] = [];
    for (const { level, injections: plan, part } of shares)
      runs.push(await runInjected({ level, injections: plan, times: Math.ceil(injections * part), seed }));
    report.injected(fault, "strace in the server's own calls, counted from its log", runs);
  }
  const runs: InjectedRun[] = [];
  for (const [level, ms, times] of LATE)
    runs.push(await runInjected({ level, injections: [late(ms, "1+1")], times, seed }));
  report.injected("syncs that take 0.1, 1 and 2 s", "strace holds up each fdatasync", runs);
}

async function fallShort(report: DiskReport, times: number, seed: number): Promise<void> {
  const runs: InjectedRun[] = [];
  for (const level of ["written", "synced"] as const)
    runs.push(await runShortWrites({ level, times: Math.ceil(times / 2), seed }));
  report.injected("short writes, then EFBIG", "RLIMIT_FSIZE set by prlimit while it runs, and lifted", runs);
}

async function killAtBoundaries(report: DiskReport, kills: number, seed: number): Promise<void> {
  for (const level of ["written", "synced"] as const) {
    const plan = killsUpTo(Math.ceil(kills / 2 / killsUpTo(1).length));
    report.killed(level, await runKills(plan, level, seed));
  }
}

async function fillDisks(report: DiskReport, fills: number, seed: number): Promise<void> {
  for (const kind of ["memory", "ext4"] as const)
    report.filled(kind, await runFullDisk(Math.ceil(fills / 2), kind, seed));
}

async function damageFiles(report: DiskReport, damages: number, seed: number): Promise<void> {
  const made = await runDamages(Math.ceil(damages * 0.95), seed, damageMadeLane);
  report.damaged("lanes made for it", made);
  const served = await runDamages(Math.ceil(damages * 0.05), seed, damageServer);
  report.damaged("folders of servers killed under load and started again", served);
}

await main();

// Runs the analyser on a plant and holds what it says to what is right. Each run is a process of its own, of the runtime
// that runs this, as a user would start it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEndedChildrenCpuSeconds, readMachineTicks } from "../../bench/process-tree.ts";
import type { SuspectId } from "../../src/capacity/diagnosis/suspect.ts";
import type { ReportJson, SuspectJson } from "../../src/capacity/report/report-json.ts";
import type { Plant, Planted } from "./plant.ts";
import { runProgram } from "./run-program.ts";

export interface PlantVerdict {
  readonly report: ReportJson;
  readonly exitCode: number | null;
  /** The first suspect, or null where every one is ruled out or unknown. */
  readonly first: SuspectJson | null;
  /** The first suspect is right; or none is named, and that is allowed. */
  readonly isRight: boolean;
  /** Confirmed, and neither right as the first nor true beside it. */
  readonly confidentlyWrong: readonly SuspectId[];
  /** "pool confirmed, listen-queue possible": all but what is ruled out or unknown, in order. */
  readonly summary: string;
  /** Cores that neither side used, but something else did, interrupts among it; null where the system does not tell. */
  readonly otherCores: number | null;
}

/** Past it a run may name what those others did, truly. */
export const OTHER_CORES_MAX = 0.3;

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const RUN_MS_MAX = 180_000;

/** Plants it, runs the analyser once, and takes it away again. */
export async function judgePlant(plant: Plant): Promise<PlantVerdict> {
  const startedMs = performance.now();
  const busyBefore = othersBusySeconds();
  const planted = await plant.start();
  let verdict: Omit<PlantVerdict, "otherCores">;
  try {
    verdict = await judgePlanted(plant, planted);
  } finally {
    await planted.stop();
  }
  // Both sides have ended, so that all their time is told.
  const busyAfter = othersBusySeconds();
  if (busyBefore === null || busyAfter === null) return { ...verdict, otherCores: null };
  const cores = (busyAfter - busyBefore) / ((performance.now() - startedMs) / 1000);
  return { ...verdict, otherCores: Math.max(0, Number(cores.toFixed(2))) };
}

/** So far, without what this process's ended children used; null where there is no /proc. */
function othersBusySeconds(): number | null {
  try {
    return readMachineTicks().busySeconds - readEndedChildrenCpuSeconds();
  } catch {
    return null;
  }
}

async function judgePlanted(plant: Plant, planted: Planted): Promise<Omit<PlantVerdict, "otherCores">> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-plant-"));
  try {
    const command = [process.execPath, MAIN, "capacity", ...wordsFor(planted), "--out", folder, "--json"];
    const end = await runProgram([...planted.wrapper, ...command], RUN_MS_MAX);
    let report: ReportJson;
    try {
      report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    } catch {
      throw new Error(`the analyser left no report (exit ${end.status}): ${end.error}${end.out}`);
    }
    return judgeReport(plant, report, end.status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function wordsFor({ url, pid, capacityFlags, serveFlags }: Planted): string[] {
  const target = url === null ? [] : ["--target", url];
  const process = pid === null ? [] : ["--pid", `${pid}`];
  const serve = serveFlags.length === 0 ? [] : ["--", ...serveFlags];
  return [...target, ...process, ...capacityFlags, ...serve];
}

/** Pure. */
export function judgeReport(
  plant: Plant,
  report: ReportJson,
  exitCode: number | null,
): Omit<PlantVerdict, "otherCores"> {
  const named = report.suspects.filter(({ verdict }) => verdict === "confirmed" || verdict === "possible");
  const first = named[0] ?? null;
  const confirmed = named.filter(({ verdict }) => verdict === "confirmed").map(({ id }) => id);
  const mayDecline = plant.mayDecline === true && confirmed.length === 0;
  const isNamed = first !== null && plant.first.includes(first.id);
  const isVoidAsItMust = plant.isVoid !== true || (report.void !== null && exitCode === 2);
  return {
    report,
    exitCode,
    first,
    isRight: (isNamed || mayDecline) && isVoidAsItMust,
    confidentlyWrong: confirmed.filter((id) => !plant.first.includes(id) && !plant.alsoTrue.includes(id)),
    summary: named.map(({ id, verdict }) => `${id} ${verdict}`).join(", ") || "none named",
  };
}

/** What a person needs to see why a verdict is wrong: levels and the evidence of each suspect that is named. */
export function explain({ report, exitCode, summary, otherCores }: PlantVerdict): string {
  const levels = report.levels.map(
    ({ id, rate, success, errors, latency_ms: latency, void: why }) =>
      `  ${id}: ${Math.round(rate)}/s, success ${success.toFixed(3)}, p99 ${latency.p99} ms, errors ${JSON.stringify(errors)}${why === null ? "" : `, void: ${why}`}`,
  );
  const suspects = report.suspects.map(({ id, verdict, for: speaksFor, against }) =>
    [
      `  ${id}: ${verdict}`,
      ...speaksFor.map((line) => `    + ${line}`),
      ...against.map((line) => `    − ${line}`),
    ].join("\n"),
  );
  return [
    `${summary}; exit ${exitCode}; void: ${report.void}; others used ${otherCores} cores`,
    ...levels,
    ...suspects,
  ].join("\n");
}

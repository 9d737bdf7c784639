// The README's tables, generated from bench/results/*.json between two markers; nobody types a figure.
// Run alone (`node bench/table.ts`) it brings README.md up to date without measuring anything.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SCENARIO_IDS } from "./options.ts";
import {
  describeSettings,
  formatKibibytes,
  formatMebibytes,
  formatMs,
  formatRate,
  formatShare,
} from "./print.ts";
import type { LadderFigures, MemoryFigures, RateFigures, RestartFigures, Result } from "./result.ts";

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";
/** What a quiet machine's own housekeeping takes. */
const OTHER_CORES_SILENT = 0.1;

/** Throws where the markers are missing. */
export function replaceTables(readme: string, resultsFolder: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`cannot find ${BEGIN} and ${END}; put both into the README`);
  const results = SCENARIO_IDS.map((id) => join(resultsFolder, `${id}.json`))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, "utf8")) as Result);
  return `${readme.slice(0, begin + BEGIN.length)}\n${formatTables(results)}${readme.slice(end)}`;
}

export function formatTables(results: readonly Result[]): string {
  return results
    .map((result) => `\n**${result.title}**\n\n${formatTable(result)}\n\n${formatFoot(result)}\n`)
    .join("");
}

function formatTable(result: Result): string {
  switch (result.scenario) {
    case "small":
    case "large":
    case "synced":
      return formatRateTable(result.figures);
    case "ladder":
      return formatLadderTable(result.figures);
    case "memory":
      return formatMemoryTable(result.figures);
    case "restart":
      return formatRestartTable(result.figures);
  }
}

function formatRateTable(figures: readonly RateFigures[]): string {
  const baselines = [...new Set(figures.flatMap((each) => Object.keys(each.ratios)))];
  const rows = figures.flatMap(({ label, median, ratios }) => {
    if (median === null) return [];
    const cells = [
      median.failures > 0 ? `${label} (${formatRate(median.failures)} failed)` : label,
      formatRate(median.requestsPerSecond),
      formatRate(median.metricsPerSecond),
      `${median.cpuUsPerRequest.toFixed(1)} µs`,
      formatMs(median.latencyUsP99),
      formatMebibytes(median.residentBytes),
    ];
    for (const baseline of baselines) {
      const ratio = ratios[baseline];
      cells.push(ratio === undefined ? "" : `${ratio.requestsPerSecond.toFixed(2)} ×`);
      cells.push(ratio === undefined ? "" : `${ratio.cpuUsPerRequest.toFixed(2)} ×`);
    }
    return [cells];
  });
  const ratioHeads = baselines.flatMap((baseline) => [`rate ÷ ${baseline}`, `CPU ÷ ${baseline}`]);
  return drawTable(["", "requests/s", "metrics/s", "CPU a request", "p99", "memory", ...ratioHeads], rows);
}

function formatLadderTable(figures: readonly LadderFigures[]): string {
  const rows = figures.flatMap(({ label, levels }) =>
    levels.map((level) => [
      label,
      level.held > 0 ? `${formatRate(level.clients)} at full speed` : formatRate(level.clients),
      level.held > 0 ? formatRate(level.held) : "",
      formatRate(level.requests),
      formatShare(level.successes / level.requests),
      formatMs(level.latencyUsP50),
      formatMs(level.latencyUsP99),
    ]),
  );
  return drawTable(["", "clients", "held open", "requests", "success", "p50", "p99"], rows);
}

function formatMemoryTable(figures: readonly MemoryFigures[]): string {
  const rows = figures
    .filter((each) => each.skipped === null)
    .map((each) => [
      each.label,
      formatMebibytes(each.startedResidentBytes!),
      formatKibibytes(each.silentBytesPerConnection!),
      formatKibibytes(each.idleBytesPerConnection!),
      formatMebibytes(each.fullRateResidentBytes!),
    ]);
  return drawTable(
    ["", "started", "a silent connection", "a connection idle after a batch", "at full rate"],
    rows,
  );
}

function formatRestartTable(figures: readonly RestartFigures[]): string {
  const rows = figures
    .filter((each) => each.skipped === null)
    .map((each) => [
      each.label,
      formatMebibytes(each.logBytes),
      formatMs(each.firstAnswerMsMedian! * 1000),
      formatMs(each.unindexedFirstAnswerMsMedian! * 1000),
    ]);
  return drawTable(["", "log", "first 200 after", "without .idx files"], rows);
}

/** The first column is text, the others are figures. */
function drawTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

function formatFoot(result: Result): string {
  const { date, machine, settings, scenario } = result;
  const versions = Object.entries(machine.versions)
    .filter(([, version]) => version !== null)
    .map(([name, version]) => `${name} ${version}`);
  const pinning = machine.pinning === null ? "nothing pinned" : "server and load each on a core of their own";
  return (
    `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, ` +
    `Linux ${machine.kernel}, ${pinning}; ${versions.join(", ")}; ${describeSettings(settings)}.${formatDisturbance(result)} ` +
    `[All figures](bench/results/${scenario}.json).</sub>`
  );
}

/** Rates taken while something else used the cores are no figures to boast of; the reader is told. */
function formatDisturbance(result: Result): string {
  const cores = result.figures.map((each) => ("median" in each ? (each.median?.otherCores ?? 0) : 0));
  const most = Math.max(0, ...cores);
  return most > OTHER_CORES_SILENT ? ` Other programs used up to ${most.toFixed(1)} cores meanwhile.` : "";
}

if (import.meta.main) {
  const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
  const path = join(projectFolder, "README.md");
  writeFileSync(path, replaceTables(readFileSync(path, "utf8"), join(projectFolder, "bench/results")));
}

// Whether the analyser says the same of the same server: `capacity --search` several times against one Tidemark that stays
// up, server and analyser on a core each, and how far each run's sustainable rate is from their median. Run it as
// `node bench/repeatability.ts --runs 5`; it writes bench/results/repeatability.json and the table in docs/capacity.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ReportJson } from "../src/capacity/report/report-json.ts";
import { withServer } from "./contender.ts";
import { withFolder } from "./folder.ts";
import { type MachineRecord, readMachine } from "./machine.ts";
import { parseOptions } from "./options.ts";
import { fillPageBlock } from "./page-block.ts";
import { spawnPinned } from "./pinned.ts";
import { formatRate, print } from "./print.ts";
import { findRuntime } from "./programs.ts";
import { median } from "./result.ts";
import { tidemark } from "./tidemark.ts";

interface Run {
  readonly rate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly isAtLeast: boolean;
  readonly void: string | null;
  readonly seconds: number;
  readonly stolenRatio: number | null;
}

interface RepeatabilityResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly objective: string;
  readonly runs: readonly Run[];
  readonly median: number | null;
  /** Farthest run from the median, as a share of it. */
  readonly spread: number | null;
}

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
process.exitCode = await main();

async function main(): Promise<number> {
  const results = join(projectFolder, "bench/results");
  const { values } = parseArgs({
    options: { runs: { type: "string", default: "5" }, out: { type: "string", default: results } },
  });
  const count = Number(values.runs);
  const runtime = findRuntime("bun", projectFolder);
  const options = parseOptions([], projectFolder);
  if (!(count >= 1) || runtime === null || options === "help") {
    console.error(
      "cannot run because --runs must be a whole number from 1, and Bun be installed; try npm ci",
    );
    return 2;
  }
  const reports: ReportJson[] = [];
  await withFolder((folder, serverFolder) =>
    withServer(tidemark("bun", null, options, projectFolder), serverFolder, async ({ port, child }) => {
      for (let run = 0; run < count; run++) {
        const out = join(folder, `run-${run}`);
        const words = [
          "--target",
          `http://127.0.0.1:${port}/metrics`,
          "--pid",
          String(child.pid),
          "--search",
        ];
        reports.push(await runCapacity(runtime, [...words, "--out", out], out));
        const { rate, low, high } = reports.at(-1)!.capacity;
        print(
          `  run ${run + 1}: ${formatRate(rate ?? 0)} requests/s (${formatRate(low ?? 0)}–${formatRate(high ?? 0)})`,
        );
      }
    }),
  );
  const result = summarise(reports);
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "repeatability.json"), `${JSON.stringify(result, null, 2)}\n`);
  const table = formatTable(result);
  print(table);
  if (values.out === results) fillPageBlock(join(projectFolder, "docs/capacity.md"), "repeatability", table);
  return 0;
}

async function runCapacity(runtime: string, words: readonly string[], out: string): Promise<ReportJson> {
  const main = join(projectFolder, "src/cli/main.ts");
  const child = spawnPinned("load", [runtime, main, "capacity", ...words], { stdio: "ignore" });
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
}

function summarise(reports: readonly ReportJson[]): RepeatabilityResult {
  const rates = reports.map(({ capacity }) => capacity.rate).filter((rate) => rate !== null);
  const middle = rates.length === 0 ? null : median(rates);
  return {
    title: "five runs, one server",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    objective: reports[0]?.capacity.objective ?? "",
    runs: reports.map(({ capacity, void: reason, took_s: seconds, machine }) => ({
      rate: capacity.rate,
      low: capacity.low,
      high: capacity.high,
      isAtLeast: capacity.is_at_least,
      void: reason,
      seconds,
      stolenRatio: machine.stolen_ratio,
    })),
    median: middle,
    spread: middle === null ? null : Math.max(...rates.map((rate) => Math.abs(rate / middle - 1))),
  };
}

function formatTable({
  runs,
  median: middle,
  spread,
  objective,
  machine,
  date,
}: RepeatabilityResult): string {
  const rows = runs.map(({ rate, low, high, stolenRatio }, index) => {
    const share = rate === null || middle === null ? "" : `${((rate / middle - 1) * 100).toFixed(1)} %`;
    const cells = [rate, low, high].map((value) => (value === null ? "unknown" : formatRate(value)));
    const stolen = stolenRatio === null ? "unknown" : `${(stolenRatio * 100).toFixed(0)} %`;
    return `| ${index + 1} | ${cells.join(" | ")} | ${share} | ${stolen} |`;
  });
  const head =
    "| run | requests/s | low | high | from the median | stolen by the host |\n| ---: | ---: | ---: | ---: | ---: | ---: |";
  const foot = `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ${objective}; farthest from the median ${spread === null ? "unknown" : `${(spread * 100).toFixed(1)} %`}. [All figures](../bench/results/repeatability.json).</sub>`;
  return `${head}\n${rows.join("\n")}\n\n${foot}`;
}

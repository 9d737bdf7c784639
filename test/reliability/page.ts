// Makes docs/reliability.md from the recorded runs: `node test/reliability/page.ts`. A row for each promise and fault.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROMISES, type PromiseName, type ReliabilityRun, readRuns } from "./record.ts";

export const PAGE = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

const INTRODUCTION = `# Reliability
Every promise, the faults it was attacked with, how each was injected, how often, and what was lost. The page is made by
\`node test/reliability/page.ts\` from the runs in \`bench/results/reliability/\`; nothing in it is typed. Each run is repeated by
the command in the last table, on either runtime (\`TIDEMARK_RUNTIME=bun\` or \`node\`); a short one of each is in \`npm test\`.
What is trusted and what is not is in [SECURITY.md](SECURITY.md), what an answer promises in [durability.md](durability.md).
`;

/** The whole page. */
export function reliabilityPage(runs: readonly ReliabilityRun[]): string {
  const sections = (Object.keys(PROMISES) as PromiseName[])
    .map((promise) => promiseSection(promise, runs))
    .filter((section) => section !== "");
  return `${INTRODUCTION}\n${sections.join("\n")}\n${runsSection(runs)}`;
}

function promiseSection(promise: PromiseName, runs: readonly ReliabilityRun[]): string {
  const rows = runs.flatMap((run) =>
    run.rows
      .filter((row) => row.promise === promise)
      .map((row) => [
        row.fault,
        row.injected,
        run.runtime,
        row.times.toLocaleString("en-US"),
        row.lost,
        row.measured,
        row.asked,
        row.holds ? "holds" : "**does not hold**",
      ]),
  );
  if (rows.length === 0) return "";
  rows.sort((a, b) => (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : 0));
  const head = ["fault", "how it is injected", "on", "times", "lost", "measured", "asked", ""];
  return `## ${capitalised(PROMISES[promise])}\n${table(head, rows)}`;
}

function runsSection(runs: readonly ReliabilityRun[]): string {
  const head = ["run", "on", "date", "seconds", "machine", "commit", "command"];
  const rows = runs.map((run) => [
    run.run,
    run.runtime,
    run.date,
    run.seconds.toLocaleString("en-US"),
    `${run.machine.cores} × ${run.machine.processor}, Linux ${run.machine.kernel}`,
    run.machine.commit ?? "",
    `\`${run.command}\``,
  ]);
  return `## The runs\n${table(head, rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, reliabilityPage(readRuns()));

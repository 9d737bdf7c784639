// The end-to-end benchmark: reads the flags, runs the scenarios that were asked for, writes a JSON for each, and
// brings the README's tables up to date. Run it as `npm run bench`; --help lists the flags.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMachine } from "./machine.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { describeSettings, print } from "./print.ts";
import { type Result, writeResult } from "./result.ts";
import { runScenario } from "./scenarios/catalogue.ts";
import { formatTables, replaceTables } from "./table.ts";

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options | "help";
  try {
    options = parseOptions(process.argv.slice(2), projectFolder);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (options === "help") {
    print(HELP);
    return 0;
  }
  const machine = readMachine(projectFolder);
  if (machine.pinning === null) print("one core: server and load share it, so the figures compare little");
  for (const scenario of options.scenarios) {
    const date = new Date().toISOString();
    print(`${scenario}:`);
    const outcome = await runScenario(scenario, options, projectFolder);
    const result = { ...outcome, date, machine } as Result;
    for (const figures of result.figures) {
      if (figures.skipped !== null) print(`  ${figures.label} skipped: ${figures.skipped}`);
    }
    print(`  ${describeSettings(result.settings)}`);
    print(`  written to ${writeResult(options.resultsFolder, result)}`);
    print(formatTables([result]));
  }
  if (options.resultsFolder === join(projectFolder, "bench/results")) updateReadme();
  return 0;
}

function updateReadme(): void {
  const path = join(projectFolder, "README.md");
  try {
    writeFileSync(path, replaceTables(readFileSync(path, "utf8"), join(projectFolder, "bench/results")));
  } catch (error) {
    print(`the README's tables are as they were: ${(error as Error).message}`);
  }
}

// `tidemark capacity`: the flags, the progress on the standard error, the reports on the standard output and in files,
// and the exit code: 0 the objective was met, 1 it was not, 2 the run proves nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { makeBatches } from "../capacity/load/payload.ts";
import { toHtml } from "../capacity/report/html.ts";
import { toMarkdown } from "../capacity/report/markdown.ts";
import type { ReportJson } from "../capacity/report/report-json.ts";
import { toTerminalText } from "../capacity/report/terminal.ts";
import { type CapacityFlags, readCapacityFlags } from "../capacity/run/capacity-flags.ts";
import type { CapacityOptions } from "../capacity/run/capacity-options.ts";
import { runCapacity } from "../capacity/run/capacity-run.ts";
import { exitCodeOf } from "../capacity/run/exit-code.ts";
import { openProgressDisplay } from "../capacity/run/progress-display.ts";
import { OBJECTIVE_DEFAULT } from "../capacity/search/objective.ts";
import { SETTINGS } from "../config-settings.ts";
import { TidemarkError } from "../errors.ts";
import { type AgentsFlags, addAgentsFlags, openGenerator } from "./agents-flags.ts";

const EXAMPLES = `
Examples:
  $ tidemark capacity                                   a server of its own, everything, under three minutes
  $ tidemark capacity --target http://127.0.0.1:8080/   any HTTP server; --pid lets it read that side, too
  $ tidemark capacity --ladder 20,100,500 --verify -- --threads 1 --backlog 8
  $ tidemark capacity --sweep threads=1,2,4,8 --sweep ack=written,synced
  $ tidemark capacity --agents nats://10.0.0.7:4222 --target http://10.0.0.9:8080/

What stands behind "--" goes to the server that the run starts (see tidemark serve --help).
TIME is a number with ms, s or m. Exit code: 0 the objective was met, 1 it was not, 2 the run proves nothing or could
not be made as asked.
`;

export function capacityCommand(): Command {
  const flag = (group: string, usage: string, help: string): Option =>
    new Option(usage, help).helpGroup(`${group}:`);
  const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];
  const command = new Command("capacity")
    .description("Find how much a server takes, name what stops it there, and prove it.")
    .usage("[flags] [-- serve flags]")
    .argument("[serve-flags...]", "for the server that the run starts")
    .addHelpText("after", EXAMPLES)
    .addOption(flag("Target", "--target <URL>", "measure this server instead of starting one"))
    .addOption(flag("Target", "--pid <N>", "its process (found by itself where it listens on this machine)"))
    .addOption(
      flag("Target", "--method <METHOD>", "of the requests (POST of batches to a Tidemark, else GET)"),
    )
    .addOption(
      flag("Target", "--header <'NAME: VALUE'>", "a further header; may be repeated").argParser(collect),
    )
    .addOption(flag("Target", "--payload <FILE>", "body of each request"))
    .addOption(flag("Target", "--batch <N>", "metrics in a made-up batch (3)"))
    .addOption(
      flag("Load", "--ladder <N,N,…>", "client counts of the levels (the origin's, and those above)"),
    )
    .addOption(flag("Load", "--pace <TIME>", "between two requests of a paced client (100ms)"))
    .addOption(flag("Load", "--keep-alive <on|off>", "whether clients keep their connections (on)"))
    .addOption(flag("Load", "--threads <N>", "threads of the load generator (1)"))
    .addOption(flag("Load", "--timeout <TIME>", "for one request (2s)"))
    .addOption(flag("Load", "--level-time <TIME>", "length of each level (1.5s to 2.5s by kind)"))
    .addOption(flag("Load", "--seed <N>", "for what is drawn at random (1)"))
    .addOption(
      flag("Question", "--objective <TERMS>", `what a sustained rate must hold (${OBJECTIVE_DEFAULT})`),
    )
    .addOption(flag("Question", "--search", "search the highest rate (done unless --ladder is given alone)"))
    .addOption(flag("Question", "--verify", "try the fix of what was found, and measure its gain"))
    .addOption(
      flag("Question", "--compare-phases", "also measure the architectures that came before this one"),
    )
    .addOption(
      flag(
        "Question",
        "--sweep <SETTING=V,V,…>",
        "also measure along a serve flag; may be repeated",
      ).argParser(collect),
    )
    .addOption(
      flag("Output", "--out <FOLDER>", "where report.md, report.json and report.html go (./capacity-report)"),
    )
    .addOption(flag("Output", "--json", "print the report as JSON instead of a table"))
    .action(runCommand);
  return addAgentsFlags(command).addHelpOption(
    new Option("-h, --help", "print this help").helpGroup("Output:"),
  );
}

async function runCommand(
  serveFlags: string[],
  flags: CapacityFlags & AgentsFlags,
  command: Command,
): Promise<void> {
  const abort = new AbortController();
  const asked = readCapacityFlags(flags, serveFlags, {
    command: [process.execPath, fileURLToPath(new URL("./main.ts", import.meta.url))],
    serveSettings: SETTINGS.map(({ name }) => name),
    readFile: (path) => readFileSync(path),
  });
  const options: CapacityOptions = {
    ...asked,
    openGenerator: (say) => openGenerator(flags, say),
    makeBatches: () => makeBatches({ seed: asked.seed, metrics: asked.batchMetrics }),
    signal: abort.signal,
    commandText: ["tidemark", "capacity", ...command.parent!.args.slice(1)].join(" "),
    version: packageJson.version,
  };
  const folder = makeFolder(asked.out);
  const display = openProgressDisplay(process.stderr);
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(130);
    display.note("ending; what was measured so far is reported (again to leave at once)");
    abort.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  let report: ReportJson;
  try {
    report = await runCapacity(options, display.onProgress);
  } finally {
    display.close();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  const json = `${JSON.stringify(report, null, 2)}\n`;
  writeFileSync(join(folder, "report.json"), json);
  writeFileSync(join(folder, "report.md"), toMarkdown(report));
  writeFileSync(join(folder, "report.html"), toHtml(report));
  const { columns = 100, isTTY } = process.stdout;
  if (flags.json === true) process.stdout.write(json);
  else
    process.stdout.write(
      `${toTerminalText(report, { width: columns, color: isTTY === true })}\nreport.html, report.md and report.json are in ${folder}\n`,
    );
  process.exitCode = exitCodeOf(report, options.runsLadder && !options.searches);
}

/** Before the run, so that three minutes are not spent on a folder that cannot be written. */
function makeFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return path;
  } catch (error) {
    throw new TidemarkError(
      `cannot write reports to ${path} because ${(error as Error).message}; try another --out`,
      2,
    );
  }
}

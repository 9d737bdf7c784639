// `tidemark load`: the flags, one line of progress on a terminal, the result on the standard output, and the exit code:
// 0 done, 1 nothing succeeded, 2 the run is void or the command line was wrong.
import { readFileSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import type { LoadFlags } from "../capacity/load/load-flags.ts";
import type { LoadGenerator, StartLoadOptions } from "../capacity/load/load-generator.ts";
import type { LoadPlan } from "../capacity/load/load-plan.ts";
import type { LoadResult, LoadSlot } from "../capacity/load/load-result.ts";
import { TidemarkError } from "../errors.ts";
import { type AgentsFlags, addAgentsFlags, openGenerator } from "./agents-flags.ts";

const EXAMPLES = `
Examples:
  $ tidemark load --url http://127.0.0.1:8080/metrics --clients 64
  $ tidemark load --rate 5000 --duration 30s              a rate, whatever the
                                                          server does
  $ tidemark load --clients 200 --pace 100ms --requests 50
  $ tidemark load --url http://127.0.0.1/ --method GET --json
  $ tidemark load --agents nats://10.0.0.7 --url http://10.0.0.9:8080/metrics

Without --rate every client sends when it is answered (or at its --pace).
TIME is a number with ms, s, m or h. Ctrl-C ends the run early and prints what
there is. Exit code: 0 done; 1 nothing succeeded; 2 the generator was the limit,
not the server, and the result says why.
`;

const CLEAR_LINE = "\r\x1b[2K";
const COLUMNS_DEFAULT = 80;
/** As a shell says of a program that SIGINT ended. */
const INTERRUPTED_EXIT_CODE = 130;

export function loadCommand(): Command {
  const command = new Command("load")
    .description("Send requests to an HTTP server and tell what came of them.")
    .usage("[flags]")
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .action(runLoad);
  const flag = (group: string, usage: string, help: string): Option =>
    new Option(usage, help).helpGroup(`${group}:`);
  const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];
  const options = [
    flag("Target", "--url <URL>", "http only (http://127.0.0.1:8080/metrics)"),
    flag("Load", "--clients <N>", "connections; with --rate at most these (50)"),
    flag("Load", "--threads <N>", "generator threads (1)"),
    flag("Load", "--duration <TIME>", "how long to send (10s)"),
    flag("Load", "--requests <N>", "of each client, instead of --duration"),
    flag("Load", "--rate <N>", "requests a second of all clients together"),
    flag("Load", "--rate-end <N>", "rise or fall to this rate by the end"),
    flag("Load", "--pace <TIME>", "each client sends once in this time"),
    flag("Load", "--ramp <TIME>", "start the clients over this time (0ms)"),
    flag("Load", "--warm-up <TIME>", "the same load before it, uncounted (0ms)"),
    flag("Load", "--keep-alive <on|off>", "off: a connection for each request (on)"),
    flag("Load", "--pipeline <N>", "requests at a time on a connection (1)"),
    flag("Load", "--timeout <TIME>", "for one request and its connection (5s)"),
    flag("Request", "--method <METHOD>", "POST sends made-up batches of metrics (POST)"),
    flag("Request", "--header <'NAME: VALUE'>", "a further header; may be repeated").argParser(collect),
    flag("Request", "--payload <FILE>", "body of each request"),
    flag("Request", "--batch <N>", "metrics in a made-up batch (3)"),
    flag("Request", "--client-ids <on|off>", "send X-Client-Id (on with made-up batches)"),
    flag("Request", "--seed <N>", "for what is drawn at random (1)"),
    flag("Output", "--json", "print the result as JSON"),
    flag("Output", "--hgrm <FILE>", "write the corrected latency's histogram"),
  ];
  for (const option of options) command.addOption(option);
  return addAgentsFlags(command).addHelpOption(
    new Option("-h, --help", "print this help").helpGroup("Output:"),
  );
}

async function runLoad(flags: LoadFlags & AgentsFlags): Promise<void> {
  const { readLoadFlags } = await import("../capacity/load/load-flags.ts");
  const { describeFailure, describePlan, describeResult, describeSlot } = await import(
    "../capacity/load/load-text.ts"
  );
  const asked = readLoadFlags(flags, (path) => readFileSync(path));
  if (asked.hgrm !== null) writeHistogram(asked.hgrm, "");
  const live = openLiveLine();
  const generator = await openGenerator(flags, (line) => {
    live.clear();
    process.stderr.write(`${line}\n`);
  });
  if (!asked.isJson) process.stdout.write(`${describePlan(asked.plan)}\n`);
  const result = await withInterrupt((signal) => {
    const options = { signal, onSlot: (slot: LoadSlot) => live.show(describeSlot(slot)) };
    return run(generator, asked.plan, asked.warmUpSeconds, options);
  }).finally(() => live.clear());
  if (asked.hgrm !== null) {
    const { toHgrm } = await import("../capacity/load/hgrm.ts");
    writeHistogram(asked.hgrm, toHgrm(result.latency));
  }
  if (asked.isJson) {
    const { toLoadJson } = await import("../capacity/load/load-json.ts");
    process.stdout.write(`${JSON.stringify(toLoadJson(result), null, 2)}\n`);
  } else process.stdout.write(describeResult(result));
  process.exitCode = exitCodeOf(result);
  if (result.succeeded === 0) process.stderr.write(`${describeFailure(result)}\n`);
  else if (result.void !== null && asked.isJson) process.stderr.write(`void: ${result.void}\n`);
}

/** Runtimes compile what is hot as they meet it, on both sides: the warm-up is theirs, and on the same threads. */
async function run(
  generator: LoadGenerator,
  plan: LoadPlan,
  warmUpSeconds: number,
  options: StartLoadOptions,
): Promise<LoadResult> {
  try {
    if (warmUpSeconds > 0)
      await generator.run({ ...plan, stop: { kind: "seconds", seconds: warmUpSeconds } }, options);
    return await generator.run(plan, options);
  } finally {
    await generator.end();
  }
}

function exitCodeOf(result: LoadResult): number {
  if (result.void !== null) return 2;
  return result.succeeded === 0 ? 1 : 0;
}

/** The first SIGINT or SIGTERM ends the run early, the second one the program. */
async function withInterrupt<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE);
    abort.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await run(abort.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** One line that is rewritten, on a terminal; nothing elsewhere. */
function openLiveLine(): { show(text: string): void; clear(): void } {
  const { stderr } = process;
  if (stderr.isTTY !== true) return { show() {}, clear() {} };
  return {
    show(text) {
      stderr.write(`${CLEAR_LINE}${text.slice(0, (stderr.columns ?? COLUMNS_DEFAULT) - 1)}`);
    },
    clear() {
      stderr.write(CLEAR_LINE);
    },
  };
}

function writeHistogram(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new TidemarkError(
      `cannot write --hgrm ${path} because ${(error as Error).message}; try another file`,
      2,
    );
  }
}

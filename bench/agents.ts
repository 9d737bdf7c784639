// Whether a load says the same whoever makes it: one offered rate against one Tidemark, sent by one agent and by two, in
// turns. Counts have to be equal; latency is the machine's, and two agents of one machine share its core. Run it as
// `node bench/agents.ts --rounds 5 --seconds 4`; it writes bench/results/agents.json and the table in docs/capacity.md.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { LoadJson } from "../src/capacity/report/report-json.ts";
import { withServer } from "./contender.ts";
import { withFolder } from "./folder.ts";
import { type MachineRecord, readMachine } from "./machine.ts";
import { parseOptions, RUNTIMES, type Runtime } from "./options.ts";
import { fillPageBlock } from "./page-block.ts";
import { spawnPinned, stopChild } from "./pinned.ts";
import { formatRate, print } from "./print.ts";
import { findProgram, findRuntime } from "./programs.ts";
import { median } from "./result.ts";
import { tidemark } from "./tidemark.ts";

interface AgentsRound {
  readonly planned: number;
  readonly requests: number;
  readonly succeeded: number;
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
  readonly sendLagMsP99: number | null;
  readonly startsApartMs: number | null;
  readonly clockErrorMs: number;
  readonly void: string | null;
}

interface AgentsFigures {
  readonly runtime: Runtime;
  readonly agents: number;
  readonly rounds: readonly AgentsRound[];
}

interface AgentsResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly settings: { readonly rounds: number; readonly seconds: number; readonly rate: number };
  readonly figures: readonly AgentsFigures[];
}

/** Far below what one core of a generator makes, so that the target's answers are the same question for both. */
const RATE = 1000;
const CONNECTIONS = 32;
const FLEETS = [1, 2];
const START_MS_MAX = 20_000;

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const MAIN = join(projectFolder, "src/cli/main.ts");
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
      out: { type: "string", default: join(projectFolder, "bench/results") },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(Number.isInteger(rounds) && rounds >= 1 && Number.isInteger(seconds) && seconds >= 1)) {
    console.error(
      "cannot run because --rounds and --seconds must be whole numbers from 1; try --rounds 5 --seconds 4",
    );
    return 2;
  }
  if (findProgram("nats-server") === null) {
    console.error("cannot run because nats-server is missing; try apt-get install nats-server");
    return 1;
  }
  const figures: AgentsFigures[] = [];
  for (const runtime of RUNTIMES) figures.push(...(await measure(runtime, rounds, seconds)));
  const result: AgentsResult = {
    title: "one agent and two",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    settings: { rounds, seconds, rate: RATE },
    figures,
  };
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "agents.json"), `${JSON.stringify(result, null, 2)}\n`);
  const table = formatTable(result);
  print(table);
  if (values.out === join(projectFolder, "bench/results"))
    fillPageBlock(join(projectFolder, "docs/capacity.md"), "agents", table);
  return 0;
}

/** Each fleet has a NATS of its own, so that a run claims the agents that it is about and no others. */
async function measure(runtime: Runtime, rounds: number, seconds: number): Promise<AgentsFigures[]> {
  const program = findRuntime(runtime, projectFolder);
  if (program === null) throw new Error(`cannot run because ${runtime} is not installed; try npm ci`);
  const options = parseOptions([], projectFolder);
  if (options === "help") throw new Error("no flags are no --help");
  const children: ChildProcess[] = [];
  const scratch = mkdtempSync(join(tmpdir(), "tidemark-bench-agents-"));
  const found = new Map<number, AgentsRound[]>(FLEETS.map((agents) => [agents, []]));
  try {
    const servers = new Map<number, string>();
    for (const agents of FLEETS) {
      const url = await startNats(children, join(scratch, `nats-${agents}`));
      servers.set(agents, url);
      for (let agent = 1; agent <= agents; agent++)
        await startAgent(children, [program, MAIN, "agent", "--nats", url, "--name", `agent-${agent}`]);
    }
    await withFolder((_folder, serverFolder) =>
      withServer(tidemark("bun", null, options, projectFolder), serverFolder, async ({ port }) => {
        const run = async (agents: number): Promise<AgentsRound> => {
          const flags = ["--url", `http://127.0.0.1:${port}/metrics`, "--clients", String(CONNECTIONS)];
          const rate = ["--rate", String(RATE), "--warm-up", "1s", "--duration", `${seconds}s`];
          const fleet = ["--agents", servers.get(agents)!, "--agents-min", String(agents)];
          return toRound(await runJson([program, MAIN, "load", ...fleet, ...flags, ...rate, "--json"]));
        };
        for (let round = 0; round < rounds; round++) {
          // Every other round goes backwards, so that drift cancels.
          for (const agents of round % 2 === 0 ? FLEETS : FLEETS.toReversed())
            found.get(agents)!.push(await run(agents));
          const told = FLEETS.map((agents) => `${agents}: ${found.get(agents)!.at(-1)!.requests}`);
          print(`  ${runtime}, round ${round + 1}: requests by agents ${told.join(", ")}`);
        }
      }),
    );
  } finally {
    await Promise.all(children.map((child) => stopChild(child)));
    rmSync(scratch, { recursive: true, force: true });
  }
  return FLEETS.map((agents) => ({ runtime, agents, rounds: found.get(agents)! }));
}

async function startNats(children: ChildProcess[], folder: string): Promise<string> {
  mkdirSync(folder);
  const words = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder];
  const child = spawn(findProgram("nats-server")!, words, { stdio: "ignore" });
  children.push(child);
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
    const url = /nats:\/\/[^"]+/.exec(text)?.[0];
    if (url !== undefined) return url;
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error("cannot start nats-server because it said no port in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function startAgent(children: ChildProcess[], command: readonly string[]): Promise<void> {
  const child = spawnPinned("load", command, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout! }))
    if (line.includes("waits for work")) {
      child.stdout!.resume();
      return;
    }
  throw new Error(`cannot start an agent because it ended with ${child.exitCode}`);
}

/** The coordinator sends nothing, and is left where the system puts it. */
async function runJson([program, ...words]: readonly string[]): Promise<LoadJson> {
  const child = spawn(program!, words, { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(text) as LoadJson;
}

function toRound(json: LoadJson): AgentsRound {
  return {
    planned: json.planned,
    requests: json.requests,
    succeeded: Math.round(json.success * json.requests),
    latencyMsP50: json.latency_ms.p50,
    latencyMsP99: json.latency_ms.p99,
    sendLagMsP99: json.send_lag_ms.p99,
    startsApartMs: json.agents!.starts_apart_ms,
    clockErrorMs: json.agents!.clock_error_ms,
    void: json.void,
  };
}

function formatTable({ figures, machine, date, settings }: AgentsResult): string {
  const ms = (value: number | null): string => (value === null ? "–" : `${value.toFixed(2)} ms`);
  const middle = (rounds: readonly AgentsRound[], read: (round: AgentsRound) => number | null): string =>
    ms(median(rounds.map(read).filter((value) => value !== null)));
  const counts = (rounds: readonly AgentsRound[], read: (round: AgentsRound) => number): string =>
    [...new Set(rounds.map(read))].map((count) => count.toLocaleString("en-US")).join(", ");
  const row = (label: string, cell: (rounds: readonly AgentsRound[]) => string): string =>
    `| ${[label, ...figures.map(({ rounds }) => cell(rounds))].join(" | ")} |`;
  const names = figures.map(
    ({ runtime, agents }) =>
      `${runtime === "bun" ? "Bun" : "Node"}, ${agents} ${agents === 1 ? "agent" : "agents"}`,
  );
  const rows = [
    `| ${formatRate(settings.rate)} a second for ${settings.seconds} s | ${names.join(" | ")} |`,
    `| --- |${names.map(() => " ---: |").join("")}`,
    row("requests sent, of every round", (rounds) => counts(rounds, ({ requests }) => requests)),
    row("of these succeeded", (rounds) => counts(rounds, ({ succeeded }) => succeeded)),
    row("latency, p50", (rounds) => middle(rounds, ({ latencyMsP50 }) => latencyMsP50)),
    row("latency, p99", (rounds) => middle(rounds, ({ latencyMsP99 }) => latencyMsP99)),
    row("planned to sent, p99", (rounds) => middle(rounds, ({ sendLagMsP99 }) => sendLagMsP99)),
    row("starts apart", (rounds) => middle(rounds, ({ startsApartMs }) => startsApartMs)),
    row("give or take", (rounds) => middle(rounds, ({ clockErrorMs }) => clockErrorMs)),
    row(
      "void rounds",
      (rounds) => `${rounds.filter((round) => round.void !== null).length} of ${rounds.length}`,
    ),
  ];
  const foot =
    `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ` +
    `${settings.rounds} rounds of each in turns, medians; all agents on one core, the target on the other. [All figures](../bench/results/agents.json).</sub>`;
  return `${rows.join("\n")}\n\n${foot}`;
}

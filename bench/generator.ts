// How good the load generator is, which every figure of the analyser rests on: its rate against wrk's on nginx's constant,
// how late it sends at half a server's capacity, what it says of a stall whose length is known, and what 10,000 connections
// cost it. Generator and target have a core each. Run it as `node bench/generator.ts`; it writes
// bench/results/generator.json and the table in docs/capacity.md.
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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
import { CORES, spawnPinned, stopChild } from "./pinned.ts";
import { formatMebibytes, formatRate, print } from "./print.ts";
import { readMachineTicks, readTreeResidentBytes } from "./process-tree.ts";
import { findProgram, findRuntime } from "./programs.ts";
import { median } from "./result.ts";
import { nginx } from "./rivals/nginx.ts";
import { tidemark } from "./tidemark.ts";

interface GeneratorFigures {
  readonly runtime: Runtime;
  /** Closed loop, GET, 64 connections, against nginx's constant: requests a second, and ÷ wrk's of the same round. */
  readonly rates: readonly number[];
  readonly wrkRates: readonly number[];
  readonly rateOfWrk: number | null;
  /** Open loop at half of the rate that a Tidemark takes from this generator: planned to sent. */
  readonly halfRate: number;
  readonly sendLagMsP50: number | null;
  readonly sendLagMsP99: number | null;
  readonly sendLagMsMax: number | null;
  readonly lagVoid: string | null;
  /** 1,000 requests a second over 10 s, of which the target sleeps one. */
  readonly stallMs: number;
  readonly stallMsTrueP99: number;
  readonly stallMsCorrectedP99: number | null;
  readonly stallMsUncorrectedP99: number | null;
  /** Highest resident memory of the process with 10,000 connections at 5,000 requests a second. */
  readonly connections: number;
  readonly connectionsOpen: number;
  readonly residentBytes: number;
}

interface GeneratorResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly settings: { readonly rounds: number; readonly seconds: number };
  /** Cores that something else than this benchmark used in the comparison with wrk. */
  readonly otherCores: number;
  readonly figures: readonly GeneratorFigures[];
}

const CONNECTIONS = 64;
/** wrk is compiled already; a runtime compiles as it goes. */
const WARM_UP = "1s";
const STALL_RATE = 1000;
const STALL_SECONDS = 10;
const STALL_MS = 1000;
const STALL_AFTER_MS = 4000;
const MANY_CONNECTIONS = 10_000;
const MANY_RATE = 5000;
const RESIDENT_SAMPLE_MS = 200;

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
  if (!(rounds >= 1 && seconds >= 1)) {
    console.error(
      "cannot run because --rounds and --seconds must be whole numbers from 1; try --rounds 5 --seconds 4",
    );
    return 2;
  }
  const missing = ["nginx", "wrk"].filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    console.error(`cannot run because ${missing.join(" and ")} is missing; try npm run bench once`);
    return 1;
  }
  if (CORES === null) print("one core: target and generator share it, so the figures compare little");
  const before = readMachineTicks();
  const compared = await compareWithWrk(rounds, seconds);
  const otherCores = otherCoresSince(before, compared.wallSeconds);
  const figures: GeneratorFigures[] = [];
  for (const runtime of RUNTIMES) {
    const lag = await measureLag(runtime, seconds);
    const stall = await measureStall(runtime);
    const memory = await measureMemory(runtime, seconds);
    const rates = compared.rates[runtime];
    const ratios = rates.map((rate, round) => rate / compared.wrk[round]!);
    figures.push({
      runtime,
      rates,
      wrkRates: compared.wrk,
      rateOfWrk: median(ratios),
      ...lag,
      ...stall,
      ...memory,
    });
  }
  const result: GeneratorResult = {
    title: "the load generator",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    settings: { rounds, seconds },
    otherCores,
    figures,
  };
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "generator.json"), `${JSON.stringify(result, null, 2)}\n`);
  const table = formatTable(result);
  print(table);
  if (values.out === join(projectFolder, "bench/results"))
    fillPageBlock(join(projectFolder, "docs/capacity.md"), "generator", table);
  return 0;
}

async function compareWithWrk(rounds: number, seconds: number) {
  const rates: Record<Runtime, number[]> = { bun: [], node: [] };
  const wrk: number[] = [];
  const started = performance.now();
  await withFolder((_folder, serverFolder) =>
    withServer(nginx, serverFolder, async ({ port }) => {
      const url = `http://127.0.0.1:${port}/metrics`;
      for (let round = 0; round < rounds; round++) {
        const runs = [
          async () => wrk.push(await runWrk(url, seconds)),
          ...RUNTIMES.map((runtime) => async () => {
            const flags = [
              "--url",
              url,
              "--method",
              "GET",
              "--clients",
              String(CONNECTIONS),
              "--warm-up",
              WARM_UP,
              "--duration",
              `${seconds}s`,
            ];
            const { json } = await runLoad(runtime, flags);
            rates[runtime].push(json.rate);
          }),
        ];
        // Every other round goes backwards, so that drift cancels.
        for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
        const told = RUNTIMES.map((runtime) => `${runtime} ${formatRate(rates[runtime].at(-1)!)}`);
        print(`  round ${round + 1}: wrk ${formatRate(wrk.at(-1)!)}, ${told.join(", ")} requests/s`);
      }
    }),
  );
  return { rates, wrk, wallSeconds: (performance.now() - started) / 1000 };
}

async function runWrk(url: string, seconds: number): Promise<number> {
  const child = spawnPinned("load", [findProgram("wrk")!, "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await readAll(child);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (!(rate > 0)) throw new Error(`cannot read what wrk said: ${text}`);
  return rate;
}

async function measureLag(runtime: Runtime, seconds: number) {
  const options = parseOptions([], projectFolder);
  if (options === "help") throw new Error("no flags are no --help");
  return withFolder((_folder, serverFolder) =>
    withServer(tidemark("bun", null, options, projectFolder), serverFolder, async ({ port }) => {
      const flags = [
        "--url",
        `http://127.0.0.1:${port}/metrics`,
        "--clients",
        String(CONNECTIONS),
        "--duration",
        `${seconds}s`,
      ];
      await runLoad(runtime, flags); // compilers see the server's code
      const capacity = (await runLoad(runtime, flags)).json.rate;
      const halfRate = Math.round(capacity / 2);
      const { json } = await runLoad(runtime, [...flags, "--rate", String(halfRate)]);
      const { p50, p99, max } = json.send_lag_ms;
      print(`  ${runtime}: half rate ${formatRate(halfRate)}/s, lag p99 ${p99} ms, max ${max} ms`);
      return { halfRate, sendLagMsP50: p50, sendLagMsP99: p99, sendLagMsMax: max, lagVoid: json.void };
    }),
  );
}

async function measureStall(runtime: Runtime) {
  const script = join(projectFolder, "bench/load/stalling-server.ts");
  const child = spawnPinned("server", [process.execPath, script, String(STALL_AFTER_MS), String(STALL_MS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = new Map<string, number>();
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => said.set(line.split(" ")[0]!, Number(line.split(" ")[1])));
  try {
    while (!said.has("port")) await new Promise((resolve) => lines.once("line", resolve));
    const flags = [
      "--rate",
      String(STALL_RATE),
      "--duration",
      `${STALL_SECONDS}s`,
      "--clients",
      String(CONNECTIONS),
    ];
    const url = ["--url", `http://127.0.0.1:${said.get("port")}/`, "--method", "GET"];
    const { json } = await runLoad(runtime, [...url, ...flags]);
    const stallMs = said.get("stalled") ?? Number.NaN;
    const [corrected, uncorrected] = [json.latency_ms.p99, json.latency_uncorrected_ms.p99];
    const truth = trueDelayMs(stallMs, 0.99);
    print(
      `  ${runtime}: stall of ${stallMs.toFixed(1)} ms, p99 ${corrected} ms (true ${truth.toFixed(1)}, uncorrected ${uncorrected})`,
    );
    return {
      stallMs,
      stallMsTrueP99: truth,
      stallMsCorrectedP99: corrected,
      stallMsUncorrectedP99: uncorrected,
    };
  } finally {
    await stopChild(child);
  }
}

/** Requests due one after another while the target sleeps wait for the rest of its sleep; all others not at all. */
function trueDelayMs(stallMs: number, q: number): number {
  const count = STALL_RATE * STALL_SECONDS;
  const gapMs = 1000 / STALL_RATE;
  const delays = Array.from({ length: count }, (_, index) => Math.max(0, stallMs - index * gapMs)).sort(
    (a, b) => a - b,
  );
  return delays[Math.ceil(q * count) - 1]!;
}

async function measureMemory(runtime: Runtime, seconds: number) {
  return withFolder((_folder, serverFolder) =>
    withServer(nginx, serverFolder, async ({ port }) => {
      const flags = [
        "--clients",
        String(MANY_CONNECTIONS),
        "--rate",
        String(MANY_RATE),
        "--duration",
        `${seconds}s`,
      ];
      const url = ["--url", `http://127.0.0.1:${port}/metrics`];
      const { json, residentBytes } = await runLoad(runtime, [...url, ...flags]);
      print(`  ${runtime}: ${json.connections.open_max} connections, ${formatMebibytes(residentBytes)}`);
      return { connections: MANY_CONNECTIONS, connectionsOpen: json.connections.open_max, residentBytes };
    }),
  );
}

async function runLoad(
  runtime: Runtime,
  flags: readonly string[],
): Promise<{ json: LoadJson; residentBytes: number }> {
  const program = findRuntime(runtime, projectFolder);
  if (program === null) throw new Error(`cannot run because ${runtime} is not installed; try npm ci`);
  const child = spawnPinned("load", [program, MAIN, "load", ...flags, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let residentBytes = 0;
  const sampler = setInterval(() => {
    residentBytes = Math.max(residentBytes, readTreeResidentBytes(child.pid!));
  }, RESIDENT_SAMPLE_MS);
  try {
    return { json: JSON.parse(await readAll(child)) as LoadJson, residentBytes };
  } finally {
    clearInterval(sampler);
  }
}

async function readAll(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  child.stderr?.resume();
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}

/** Two cores are the benchmark's own; what else was busy disturbed it. */
function otherCoresSince(before: ReturnType<typeof readMachineTicks>, wallSeconds: number): number {
  const busy = (readMachineTicks().busySeconds - before.busySeconds) / wallSeconds;
  return Math.max(0, busy - 2);
}

function formatTable({ figures, machine, date, settings }: GeneratorResult): string {
  const ms = (value: number | null): string =>
    value === null ? "unknown" : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
  const row = (label: string, wanted: string, cell: (each: GeneratorFigures) => string): string =>
    `| ${[label, wanted, ...figures.map(cell)].join(" | ")} |`;
  const names = figures.map(({ runtime }) => (runtime === "bun" ? "on Bun" : "on Node"));
  const rows = [
    `| | wanted | ${names.join(" | ")} |`,
    `| --- | --- |${names.map(() => " ---: |").join("")}`,
    row(
      `closed loop against nginx's constant, ${CONNECTIONS} connections, one core, ÷ \`wrk\``,
      "≥ 0.9",
      ({ rateOfWrk, rates }) =>
        rateOfWrk === null ? "unknown" : `${rateOfWrk.toFixed(2)} (${formatRate(median(rates)!)} a second)`,
    ),
    row(
      "open loop at half a Tidemark's capacity: planned to sent, p99",
      "≤ 1 ms",
      ({ sendLagMsP99, halfRate }) => `${ms(sendLagMsP99)} (at ${formatRate(halfRate)} a second)`,
    ),
    row(
      "p99 where the target stalls 1 s in 10 s at 1,000/s: corrected ÷ true",
      "0.95 to 1.05",
      (each) =>
        `${((each.stallMsCorrectedP99 ?? Number.NaN) / each.stallMsTrueP99).toFixed(3)} (${ms(each.stallMsCorrectedP99)}; uncorrected ${ms(each.stallMsUncorrectedP99)})`,
    ),
    row(`memory with ${formatRate(MANY_CONNECTIONS)} connections`, "≤ 250 MiB", ({ residentBytes }) =>
      formatMebibytes(residentBytes),
    ),
  ];
  const foot =
    `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ` +
    `${settings.rounds} rounds of ${settings.seconds} s, medians. [All figures](../bench/results/generator.json).</sub>`;
  return `${rows.join("\n")}\n\n${foot}`;
}

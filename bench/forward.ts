// What forwarding costs: `tidemark forward` of a log with a backlog into VictoriaMetrics, against a bare loop that posts the same
// bodies, made before, over as many connections. The store has one core, who sends has the other; both start on an empty store in
// every round. Run it as `node bench/forward.ts`; it writes bench/results/forward.json and the table in docs/forward.md.
import type { ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FORWARD_BATCH_SAMPLES_DEFAULT, FORWARD_CONNECTIONS_DEFAULT } from "../src/limits.ts";
import { realFiles } from "../src/log/files.ts";
import { recoverLane } from "../src/log/recovery.ts";
import { segmentPath } from "../src/log/segment-name.ts";
import { withServer } from "./contender.ts";
import { withFolder } from "./folder.ts";
import { type MachineRecord, readMachine } from "./machine.ts";
import { RUNTIMES, type Runtime } from "./options.ts";
import { fillPageBlock } from "./page-block.ts";
import { CORES, spawnPinned } from "./pinned.ts";
import { formatMebibytes, formatRate, print } from "./print.ts";
import { readTreeCpuSeconds, readTreeResidentBytes } from "./process-tree.ts";
import { findRuntime } from "./programs.ts";
import { median } from "./result.ts";
import { victoriaMetricsImport } from "./rivals/victoria-metrics.ts";
import { makeBatches } from "./workload.ts";

interface ForwardFigures {
  readonly runtime: Runtime;
  /** Samples a second, one a round. */
  readonly forwardRates: readonly number[];
  readonly bareRates: readonly number[];
  /** Median of the rounds' ratios. */
  readonly rateOfBare: number | null;
  /** Of the forwarder and of the store, user and system: whose is more is the limit where each has a core. */
  readonly cpuUsPerSample: number | null;
  readonly storeCpuUsPerSample: number | null;
  /** Highest resident memory of the forwarder, and that of a process of the runtime that does nothing. */
  readonly residentBytes: number;
  readonly idleResidentBytes: number;
  /** Of the same command with nothing to forward. */
  readonly emptyResidentBytes: number;
  /** The same while the store is away, with the whole log as its backlog. */
  readonly awayResidentBytes: number;
}

interface ForwardResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly settings: Readonly<Record<string, number>>;
  /** Tasks that wanted a core, mean of the last minute of the rounds; two are the benchmark's own. */
  readonly loadAverage: number;
  readonly figures: readonly ForwardFigures[];
}

const SERIES = 10_000;
const STEPS_PER_SEGMENT = 55;
const RESIDENT_SAMPLE_MS = 50;
const AWAY_MS = 5_000;
/** Nothing listens there, and nothing but root could. */
const NOBODY = "http://127.0.0.1:9/api/v1/write";

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const MAIN = join(projectFolder, "src/cli/main.ts");
const LOOP = join(projectFolder, "bench/load/remote-write-loop.ts");
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      lines: { type: "string", default: "1000000" },
      out: { type: "string", default: join(projectFolder, "bench/results") },
    },
  });
  const [rounds, lines] = [Number(values.rounds), Number(values.lines)];
  if (!(rounds >= 1 && lines >= SERIES)) {
    console.error(`cannot run because --rounds must be from 1 and --lines from ${SERIES}; try --rounds 5`);
    return 2;
  }
  const missing = victoriaMetricsImport.missing();
  if (missing !== null) {
    console.error(`cannot run because ${missing}`);
    return 1;
  }
  if (CORES === null) print("one core: store and sender share it, so the figures compare little");
  const result = await withFolder(async (folder) => {
    const data = join(folder, "data");
    writeLog(data, lines);
    return measure(data, rounds, lines);
  });
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "forward.json"), `${JSON.stringify(result, null, 2)}\n`);
  const table = formatTable(result);
  print(table);
  if (values.out === join(projectFolder, "bench/results"))
    fillPageBlock(join(projectFolder, "docs/forward.md"), "forward", table);
  return 0;
}

/** Every series has a line each ten seconds, up to now. */
function writeLog(data: string, lines: number): void {
  const lane = join(data, "lane-0");
  mkdirSync(lane, { recursive: true });
  const steps = Math.ceil(lines / SERIES);
  const [series] = makeBatches(1, SERIES, 0);
  const startMs = Date.now() - steps * 10_000;
  for (let step = 0; step < steps; step++) {
    const text = series!.map(({ name, host, value }, nth) => {
      const ts = startMs + step * 10_000;
      const now = Math.round(100 * (value + ((step * 31 + nth) % 97))) / 100;
      return `{"ts":${ts},"name":"${name}","value":${now},"type":"gauge","tags":{"host":"${host}"},"client":"bench"}\n`;
    });
    // Some 64 MiB to a segment, as a server seals them.
    const first = step - (step % STEPS_PER_SEGMENT);
    appendFileSync(segmentPath(lane, first * SERIES), text.join(""));
  }
  recoverLane(realFiles, lane, () => {});
}

async function measure(data: string, rounds: number, lines: number): Promise<ForwardResult> {
  const of = (make: () => number[]) => ({ bun: make(), node: make() }) as Record<Runtime, number[]>;
  const [forward, bare, resident] = [of(() => []), of(() => []), of(() => [])];
  const [cpu, storeCpu] = [of(() => []), of(() => [])];
  for (let round = 0; round < rounds; round++) {
    const runs = RUNTIMES.flatMap((runtime) => [
      async () => {
        bare[runtime].push(await runBare(runtime, data));
      },
      async () => {
        const run = await runForward(runtime, data);
        forward[runtime].push(run.rate);
        cpu[runtime].push(run.cpuUsPerSample);
        storeCpu[runtime].push(run.storeCpuUsPerSample);
        resident[runtime].push(run.residentBytes);
      },
    ]);
    // Every other round goes backwards, so that drift cancels.
    for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
    const told = RUNTIMES.map(
      (runtime) =>
        `${runtime} ${formatRate(forward[runtime].at(-1)!)} of ${formatRate(bare[runtime].at(-1)!)}, ${formatMebibytes(resident[runtime].at(-1)!)}`,
    );
    print(`  round ${round + 1}: ${told.join("; ")} (samples/s)`);
  }
  const [loadAverage = 0] = loadavg();
  const figures: ForwardFigures[] = [];
  for (const runtime of RUNTIMES) {
    figures.push({
      runtime,
      forwardRates: forward[runtime],
      bareRates: bare[runtime],
      rateOfBare: median(forward[runtime].map((rate, round) => rate / bare[runtime][round]!)),
      cpuUsPerSample: median(cpu[runtime]),
      storeCpuUsPerSample: median(storeCpu[runtime]),
      residentBytes: Math.max(...resident[runtime]),
      idleResidentBytes: await residentAfter(runtime, ["-e", "setInterval(() => {}, 1000)"]),
      emptyResidentBytes: await withFolder((_folder, empty) => residentAway(runtime, empty)),
      awayResidentBytes: await residentAway(runtime, data),
    });
  }
  return {
    title: "forwarding to VictoriaMetrics",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    settings: {
      rounds,
      lines,
      series: SERIES,
      connections: FORWARD_CONNECTIONS_DEFAULT,
      batchSamples: FORWARD_BATCH_SAMPLES_DEFAULT,
    },
    loadAverage,
    figures,
  };
}

function withStore<T>(use: (url: string, pid: number) => Promise<T>): Promise<T> {
  return withFolder((_folder, serverFolder) =>
    withServer(victoriaMetricsImport, serverFolder, ({ port, child }) =>
      use(`http://127.0.0.1:${port}/api/v1/write`, child.pid!),
    ),
  );
}

function runBare(runtime: Runtime, data: string): Promise<number> {
  return withStore(async (url) => {
    const words = [
      LOOP,
      data,
      url,
      String(FORWARD_CONNECTIONS_DEFAULT),
      String(FORWARD_BATCH_SAMPLES_DEFAULT),
    ];
    const text = await readOut(spawnSender(runtime, words), "stdout");
    const { samples, seconds } = JSON.parse(text) as { samples: number; seconds: number };
    return samples / seconds;
  });
}

function runForward(runtime: Runtime, data: string) {
  return withStore(async (url, storePid) => {
    forget(data);
    const storeSeconds = readTreeCpuSeconds(storePid);
    // Without the wait for what the store has in memory: the clock stops when it has taken all.
    const words = [
      MAIN,
      "forward",
      "--data",
      data,
      "--to",
      `prometheus=${url}`,
      "--resend",
      "off",
      "--until-end",
    ];
    const child = spawnSender(runtime, words);
    let [residentBytes, cpuSeconds] = [0, 0];
    const sampler = setInterval(() => {
      residentBytes = Math.max(residentBytes, readTreeResidentBytes(child.pid!));
      cpuSeconds = Math.max(cpuSeconds, readTreeCpuSeconds(child.pid!));
    }, RESIDENT_SAMPLE_MS);
    const text = await readOut(child, "stderr");
    clearInterval(sampler);
    const said = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const at = (message: string) => said.find(({ msg }) => msg === message);
    const [first, last] = [at("forwarding"), at("forwarded")];
    if (last === undefined) throw new Error(`the forwarder did not end well: ${text}`);
    const seconds = (Date.parse(last.time) - Date.parse(first.time)) / 1000;
    const rate = last.samples / seconds;
    const perSample = (cpu: number) => (cpu * 1e6) / last.samples;
    const storeCpuUsPerSample = perSample(readTreeCpuSeconds(storePid) - storeSeconds);
    return { rate, residentBytes, cpuUsPerSample: perSample(cpuSeconds), storeCpuUsPerSample };
  });
}

function residentAway(runtime: Runtime, data: string): Promise<number> {
  forget(data);
  return residentAfter(runtime, [MAIN, "forward", "--data", data, "--to", `prometheus=${NOBODY}`]);
}

/** Of a process that runs until it is ended. */
async function residentAfter(runtime: Runtime, words: readonly string[]): Promise<number> {
  const child = spawnSender(runtime, words);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  const bytes = readTreeResidentBytes(child.pid!);
  child.kill("SIGKILL");
  await gone;
  return bytes;
}

/** The log is to be forwarded from its beginning again. */
function forget(data: string): void {
  for (const name of ["followers", "dead-letter"]) rmSync(join(data, name), { recursive: true, force: true });
}

function spawnSender(runtime: Runtime, words: readonly string[]): ChildProcess {
  const program = findRuntime(runtime, projectFolder);
  if (program === null) throw new Error(`cannot run because ${runtime} is not installed; try npm ci`);
  return spawnPinned("load", [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
}

async function readOut(child: ChildProcess, from: "stdout" | "stderr"): Promise<string> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]!.setEncoding("utf8").on("data", (part) => {
      text[name] += part;
    });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`a sender ended with ${code}: ${text.stderr}`);
  return text[from];
}

function formatTable({ figures, machine, date, settings, loadAverage }: ForwardResult): string {
  const row = (label: string, wanted: string, cell: (each: ForwardFigures) => string): string =>
    `| ${[label, wanted, ...figures.map(cell)].join(" | ")} |`;
  const names = figures.map(({ runtime }) => (runtime === "bun" ? "on Bun" : "on Node"));
  const rows = [
    `| | wanted | ${names.join(" | ")} |`,
    `| --- | --- |${names.map(() => " ---: |").join("")}`,
    row("samples a second, ÷ a bare loop's", "≥ 0.8", ({ rateOfBare, forwardRates, bareRates }) =>
      rateOfBare === null
        ? "unknown"
        : `${rateOfBare.toFixed(2)} (${formatRate(median(forwardRates)!)} of ${formatRate(median(bareRates)!)})`,
    ),
    row("processor time of the forwarder, a sample", "", ({ cpuUsPerSample }) =>
      cpuUsPerSample === null ? "unknown" : `${cpuUsPerSample.toFixed(2)} µs`,
    ),
    row("processor time of the store, a sample", "", ({ storeCpuUsPerSample }) =>
      storeCpuUsPerSample === null ? "unknown" : `${storeCpuUsPerSample.toFixed(2)} µs`,
    ),
    row("memory over the same command with an empty log, at full rate", "≤ 32 MiB", (each) =>
      formatMebibytes(each.residentBytes - each.emptyResidentBytes),
    ),
    row("the same, store away", "≤ 32 MiB", (each) =>
      formatMebibytes(each.awayResidentBytes - each.emptyResidentBytes),
    ),
    row("memory over a process of the runtime that does nothing, at full rate", "", (each) =>
      formatMebibytes(each.residentBytes - each.idleResidentBytes),
    ),
  ];
  const foot =
    `<sub>${formatRate(settings.lines!)} lines of ${formatRate(settings.series!)} series, ${settings.connections} connections, ${settings.batchSamples} samples a request; ` +
    `VictoriaMetrics ${machine.versions["victoria-metrics"] ?? "unknown"} on one core, the sender on another; ${settings.rounds} rounds, medians. ` +
    `load average ${loadAverage.toFixed(1)}; ${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}. [All figures](../bench/results/forward.json).</sub>`;
  return `${rows.join("\n")}\n\n${foot}`;
}

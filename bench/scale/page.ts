// docs/scale.md and its picture, brought up to date from the plan's code, the measured figures and the recorded day:
// `npm run scale -- page`. The prose is written by hand, between it every figure is generated.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PARTITIONS_MAX } from "../../src/limits.ts";
import { fillPageBlock } from "../page-block.ts";
import { print } from "../print.ts";
import { ASSUMED, ASSUMPTIONS } from "./assumptions.ts";
import { dayPicture } from "./day/day-picture.ts";
import { dayTable, failureTable } from "./day/day-table.ts";
import { readRecordedDay } from "./day/recorded-day.ts";
import { type Measured, readMeasured } from "./measured.ts";
import { LANES, type Step } from "./node-limits.ts";
import { DAY_GOAL, PLANNED, type Plan, planFleet } from "./plan.ts";
import { readScaleInputs } from "./scale-inputs.ts";
import { duration, percent, threeDigits, whole, withUnit } from "./units.ts";

const projectFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const PAGE = join(projectFolder, "docs/scale.md");
export const PICTURE = join(projectFolder, "docs/scale-day.svg");

/** Each block of the page by the name of its markers. */
export function pageBlocks(): Readonly<Record<string, string>> {
  const measured = readMeasured();
  const plans = PLANNED.map(({ name, goal }) => planFleet(name, goal, measured, ASSUMED));
  const day = readRecordedDay();
  return {
    "scale-measured": measuredTable(measured),
    "scale-assumed": assumedTable(),
    "scale-node": stepTable(plans[0]!.node.steps),
    "scale-cases": casesTable(plans),
    "scale-arithmetic": plans.map(arithmetic).join("\n\n"),
    "scale-stops": stopsTable(measured),
    "scale-failures": failureTable(day),
    "scale-day": `${dayTable(day)}\n\n<sub>Seed ${day.seed}; ${whole(day.settings.nodes)} nodes, ${whole(day.settings.cells)} streams, ${day.settings.clusters} clusters of ${day.settings.serversPerCluster}, ${whole(day.settings.cells * day.settings.drainsPerCell)} drains; a step a second. [All figures](../bench/results/scale-day.json).</sub>`,
  };
}

export function writePage(): void {
  for (const [name, text] of Object.entries(pageBlocks())) fillPageBlock(PAGE, name, text);
  writeFileSync(PICTURE, dayPicture(readRecordedDay()));
}

/** What the page would be; for the test that holds it to the code. */
export function pageAsGenerated(): string {
  let page = readFileSync(PAGE, "utf8");
  for (const [name, text] of Object.entries(pageBlocks())) {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
    if (from < begin.length || to < from) throw new Error(`cannot find ${begin} and ${end} in ${PAGE}`);
    page = `${page.slice(0, from)}\n${text}\n${page.slice(to)}`;
  }
  return page;
}

function measuredTable(measured: Measured): string {
  const { machine, date, runtime, settings, otherCores, publish, drain } = readScaleInputs();
  const best = publish.toSorted((a, b) => b.messageBytesPerSecond - a.messageBytesPerSecond)[0]!;
  const drained = drain.toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond)[0]!;
  const rows: readonly (readonly [string, string, string])[] = [
    [
      "one ingest thread, batches of 1,000",
      withUnit(measured.largeMetricsPerSecond, "metrics/s"),
      "large.json",
    ],
    ["one ingest thread, batches of 3", withUnit(measured.smallMetricsPerSecond, "metrics/s"), "small.json"],
    [
      "a metric in a request, in the log, in the stream",
      `${threeDigits(measured.requestBytesPerMetric)} B, ${threeDigits(measured.bytesPerMetric)} B, ${threeDigits(measured.messageBytesPerMetric)} B (${threeDigits(measured.bytesPerMetric / measured.messageBytesPerMetric)} : 1)`,
      "scale-inputs.json",
    ],
    [
      "a follower thread with a core: compress and publish",
      `${withUnit(measured.followerBytesPerSecond, "B/s")} of lines`,
      "scale-inputs.json",
    ],
    [
      `a lane alone, ${measured.blockBytes / 1024} KiB blocks, one in flight: a block`,
      `${threeDigits(measured.laneRoundTripMs)} ms`,
      "scale-inputs.json",
    ],
    [
      "a stream of three replicas, all on this machine's cores, at most",
      `${withUnit(best.messageBytesPerSecond, "B/s")} of messages, ${withUnit(best.bytesPerSecond, "B/s")} of lines`,
      "scale-inputs.json",
    ],
    [
      "its leader's processor time, full blocks, and blocks of 64 KiB",
      `${threeDigits(measured.leaderCpuSecondsPerGigabyte)} s and ${threeDigits(measured.smallBlockLeaderCpuSecondsPerGigabyte)} s for 1 GB of messages`,
      "scale-inputs.json",
    ],
    [
      "all three servers': in, and out again",
      `${threeDigits(measured.publishCpuSecondsPerGigabyte)} s and ${threeDigits(measured.drainCpuSecondsPerGigabyte)} s for 1 GB`,
      "scale-inputs.json",
    ],
    [
      "a drain with a core: fetch, check, write, sync, commit, acknowledge",
      `${withUnit(measured.drainBytesPerSecond, "B/s")} of lines`,
      "scale-inputs.json",
    ],
    [
      "the same, sharing this machine's cores with the servers",
      `${withUnit(drained.bytesPerSecond, "B/s")} of lines`,
      "scale-inputs.json",
    ],
    [
      "a commit, compare-and-set in a bucket of three",
      `${threeDigits(measured.commitMs)} ms`,
      "scale-inputs.json",
    ],
    ["VictoriaMetrics, one core", withUnit(measured.storeMetricsPerSecond, "metrics/s"), "large.json"],
  ];
  const foot = `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ${runtime}; ${settings.rounds} rounds of ${settings.seconds} s, the middle one; other programs used ${threeDigits(otherCores)} cores meanwhile. [All figures](../bench/results/scale-inputs.json).</sub>`;
  return `${table(["what", "figure", "from bench/results/"], rows, ["---", "---:", "---"])}\n\n${foot}`;
}

function assumedTable(): string {
  const rows = Object.entries(ASSUMPTIONS).map(([name, { value, unit, what, source }]) => [
    `\`${name}\``,
    `${what}`,
    value >= 1e6 ? withUnit(value, unit) : `${Number.isInteger(value) ? whole(value) : value} ${unit}`,
    source,
  ]);
  return table(["name", "what", "value", "why"], rows, ["---", "---", "---:", "---"]);
}

function casesTable(plans: readonly Plan[]): string {
  const rows: readonly (readonly [string, (plan: Plan) => string])[] = [
    ["metrics a second at the day's peak", (plan) => withUnit(plan.metricsPerSecond, "").trim()],
    ["ingest nodes", (plan) => whole(plan.nodes)],
    ["lines, raw", (plan) => withUnit(plan.lineBytesPerSecond, "B/s")],
    ["messages", (plan) => withUnit(plan.messageBytesPerSecond, "B/s")],
    ["streams × nodes each", (plan) => `${whole(plan.streams)} × ${plan.nodesPerStream}`],
    ["partitions of a stream", (plan) => whole(plan.partitions)],
    ["NATS servers, in clusters", (plan) => `${whole(plan.servers)}, ${plan.clusters}`],
    [
      "drains, on machines",
      (plan) => `${whole(plan.streams * plan.drainsPerStream)}, ${whole(plan.drainMachines)}`,
    ],
    ["raw lines a day at that rate", (plan) => withUnit(plan.lineBytesPerSecond * 86_400, "B")],
  ];
  return table(
    ["", ...plans.map(({ name }) => name)],
    rows.map(([what, cell]) => [what, ...plans.map(cell)]),
  );
}

function arithmetic({ name, sections }: Plan): string {
  const parts = sections.map(({ title, steps }) => `*${title}*\n\n${stepTable(steps)}`);
  return `<details><summary>${name}, line by line</summary>\n\n${parts.join("\n\n")}\n\n</details>`;
}

/** Where each part stops, by the same figures: how far one of it goes. */
function stopsTable(measured: Measured): string {
  const plan = planFleet("stops", DAY_GOAL, measured, ASSUMED);
  const { node } = plan;
  const perCluster = ASSUMED.serversPerCluster - 1;
  const cpu = measured.publishCpuSecondsPerGigabyte + measured.drainCpuSecondsPerGigabyte;
  const byCores = (perCluster * ASSUMED.natsCores * ASSUMED.natsShare * 1e9) / cpu;
  const byNetwork = (perCluster * (ASSUMED.nicBitsPerSecond / 8) * ASSUMED.natsShare) / 3;
  const byDisk = (perCluster * ASSUMED.diskBytesPerSecond * ASSUMED.natsShare) / 3;
  const cluster = Math.min(byCores, byNetwork, byDisk);
  const byAssets = (perCluster * ASSUMED.assetsPerServer) / 3 / (plan.partitions + 2);
  const metrics = (messageBytes: number) =>
    withUnit(messageBytes / measured.messageBytesPerMetric, "metrics/s");
  const stream = plan.streamBytesPerSecondMax * ASSUMED.natsShare;
  const partition = (measured.drainBytesPerSecond * ASSUMED.drainShare) / measured.bytesPerMetric;
  const rows: readonly (readonly string[])[] = [
    [
      "a lane",
      withUnit((node.byStage[LANES]! / node.threads) * ASSUMED.nodeShare, "metrics/s"),
      "one block in flight: block ÷ round trip",
      "more `--threads`",
    ],
    [
      "an ingest node",
      withUnit(node.metricsPerSecond * ASSUMED.nodeShare, "metrics/s"),
      node.stage,
      node.stage === "follower thread"
        ? "two servers on a machine, each with its port and `--data`"
        : "another node",
    ],
    [
      "a partition",
      withUnit(partition, "metrics/s"),
      "one drain owns it, and a drain is one thread",
      `more \`--partitions\`, up to ${PARTITIONS_MAX}: ${withUnit(PARTITIONS_MAX * partition, "metrics/s")} of a stream`,
    ],
    [
      "a stream",
      metrics(stream),
      "one Raft group, one leader: its cores",
      "another `--stream`, with nodes and drains of its own",
    ],
    [
      `a cluster of ${ASSUMED.serversPerCluster}, one gone`,
      metrics(cluster),
      cluster === byCores
        ? "the servers' cores"
        : cluster === byNetwork
          ? "the servers' network"
          : "the servers' disks",
      "another cluster: other addresses in `--replicate`",
    ],
    [
      `a cluster's assets`,
      `${whole(Math.floor(byAssets))} streams of ${plan.partitions} partitions`,
      `${whole(ASSUMED.assetsPerServer)} replicated streams and consumers to a server`,
      "fewer partitions, or another cluster",
    ],
    [
      "a drain machine's disks",
      duration((ASSUMED.drainStoreBytes * plan.drainMachines) / plan.lineBytesPerSecond),
      `${plan.drainMachines} × ${withUnit(ASSUMED.drainStoreBytes, "B")} at ${withUnit(plan.lineBytesPerSecond, "B/s")}`,
      "`--retention-size` there, forward what must stay, a file system that compresses",
    ],
    [
      "a node's buffer",
      duration(plan.retentionBytes / (plan.lineBytesPerSecond / plan.nodes)),
      `${percent(ASSUMED.retentionShare)} of ${withUnit(ASSUMED.nodeDiskBytes, "B")}`,
      "larger disks; past it 503",
    ],
  ];
  return table(["one of", "takes, as planned", "because of", "past it"], rows, ["---", "---:", "---", "---"]);
}

function stepTable(steps: readonly Step[]): string {
  return table(
    ["", "how", "makes"],
    steps.map(({ what, sum, result }) => [what, sum, result]),
  );
}

function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  alignment = heads.map((_, index) => (index === 0 ? "---" : "---:")),
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(alignment), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  writePage();
  print("docs/scale.md and docs/scale-day.svg are up to date");
}

// A fleet worked through: from a number of nodes, or of metrics a second, to machines, streams, partitions, bytes and hours.
// Pure: measured figures and assumptions in, figures and the arithmetic behind each out. docs/scale.md shows it line by line,
// and bench/scale/day/ replays a day over it.
import { DRAIN_GROUP_BYTES_MAX, PARTITIONS_MAX } from "../../src/limits.ts";
import { partitionOf } from "../../src/replica/stream-settings.ts";
import type { Assumed } from "./assumptions.ts";
import type { Measured } from "./measured.ts";
import { type NodeLimits, nodeLimits, type Step } from "./node-limits.ts";
import { duration, percent, threeDigits, whole, withUnit } from "./units.ts";

/** As many nodes, each at its planned rate; or so many metrics a second, and the nodes that it takes. */
export type Goal = { readonly nodes: number } | { readonly metricsPerSecond: number };

/** The fleets that docs/scale.md works through; the last is the one whose day is simulated. */
export const DAY_GOAL: Goal = { metricsPerSecond: 100e6 };
export const PLANNED: readonly { readonly name: string; readonly goal: Goal }[] = [
  { name: "10 nodes", goal: { nodes: 10 } },
  { name: "100 nodes", goal: { nodes: 100 } },
  { name: "1,000 nodes", goal: { nodes: 1_000 } },
  { name: "100 million a second", goal: DAY_GOAL },
];

export interface Plan {
  readonly name: string;
  readonly node: NodeLimits;
  readonly nodes: number;
  /** At the day's peak. */
  readonly metricsPerSecond: number;
  readonly lineBytesPerSecond: number;
  readonly messageBytesPerSecond: number;
  /** What a stream's leader takes, before the share that is planned. */
  readonly streamBytesPerSecondMax: number;
  readonly streams: number;
  readonly nodesPerStream: number;
  readonly partitions: number;
  /** What a drain takes, before the share that is planned, of lines. */
  readonly drainBytesPerSecondMax: number;
  readonly drainsPerStream: number;
  readonly servers: number;
  readonly clusters: number;
  readonly drainMachines: number;
  readonly streamBytesMax: number;
  readonly retentionBytes: number;
  readonly sections: readonly { readonly title: string; readonly steps: readonly Step[] }[];
}

const REPLICAS = 3;
const SERVERS_MIN = 3;
const DAY_SECONDS = 86_400;
/** A third of the machines is a zone. */
const ZONES = 3;
/** So that lanes fall evenly enough and drains can come and go. */
const PARTITIONS_PER_DRAIN = 4;
const DRAINS_TIMES_MAX = 3;

export function planFleet(name: string, goal: Goal, measured: Measured, assumed: Assumed): Plan {
  const node = nodeLimits(measured, assumed);
  const nodeRate = node.metricsPerSecond * assumed.nodeShare;
  const nodes = "nodes" in goal ? goal.nodes : Math.ceil(goal.metricsPerSecond / nodeRate);
  const total = "nodes" in goal ? nodes * nodeRate : goal.metricsPerSecond;
  const lines = total * measured.bytesPerMetric;
  const messages = total * measured.messageBytesPerMetric;

  // Ingest.
  const ingest: Step[] = [
    "nodes" in goal
      ? {
          what: "metrics",
          sum: `${whole(nodes)} nodes × ${whole(nodeRate)}/s`,
          result: withUnit(total, "metrics/s"),
        }
      : { what: "nodes", sum: `${whole(total)}/s ÷ ${whole(nodeRate)}/s`, result: whole(nodes) },
  ];
  const step = (steps: Step[], what: string, sum: string, result: string): void =>
    void steps.push({ what, sum, result });
  const carried = total / nodes / node.metricsPerSecond;
  step(
    ingest,
    "each node, one gone",
    `${percent(carried)} × ${nodes} ÷ ${nodes - 1}`,
    percent((carried * nodes) / (nodes - 1)),
  );
  step(
    ingest,
    "each node, a zone of three gone",
    `${percent(carried)} × 3 ÷ 2`,
    percent((carried * ZONES) / (ZONES - 1)),
  );
  step(
    ingest,
    "lines",
    `${withUnit(total, "/s")} × ${threeDigits(measured.bytesPerMetric)} B`,
    withUnit(lines, "B/s"),
  );
  step(
    ingest,
    "messages",
    `${withUnit(total, "/s")} × ${threeDigits(measured.messageBytesPerMetric)} B`,
    withUnit(messages, "B/s"),
  );
  const retentionBytes = assumed.nodeDiskBytes * assumed.retentionShare;
  step(
    ingest,
    "a node buffers alone",
    `${withUnit(assumed.nodeDiskBytes, "B")} × ${assumed.retentionShare} ÷ (${withUnit(lines, "B/s")} ÷ ${nodes})`,
    duration(retentionBytes / (lines / nodes)),
  );
  const spare = (1 - carried) / carried;
  step(
    ingest,
    "an hour's outage is caught up in",
    `1 h × ${percent(carried)} ÷ ${percent(1 - carried)}`,
    duration(3_600 / spare),
  );

  // Streams.
  const stream: Step[] = [];
  const streamMax = (assumed.leaderCores * 1e9) / measured.leaderCpuSecondsPerGigabyte;
  step(
    stream,
    "a leader",
    `${assumed.leaderCores} cores × 1 GB ÷ ${threeDigits(measured.leaderCpuSecondsPerGigabyte)} s`,
    withUnit(streamMax, "B/s of messages"),
  );
  const nodesPerStream = Math.max(1, Math.floor((streamMax * assumed.natsShare) / (messages / nodes)));
  step(
    stream,
    "nodes with one --stream",
    `${withUnit(streamMax, "B/s")} × ${assumed.natsShare} ÷ (${withUnit(messages, "B/s")} ÷ ${whole(nodes)}), whole nodes`,
    whole(nodesPerStream),
  );
  const streams = Math.ceil(nodes / nodesPerStream);
  step(stream, "**streams**", `${whole(nodes)} ÷ ${whole(nodesPerStream)}`, `**${whole(streams)}**`);
  const [streamLines, streamMessages] = [
    (lines / nodes) * nodesPerStream,
    (messages / nodes) * nodesPerStream,
  ];
  const streamBytesMax = streamMessages * assumed.holdHours * 3_600;
  step(
    stream,
    `--stream-size for ${assumed.holdHours} h without drains`,
    `${withUnit(streamMessages, "B/s")} × ${whole(assumed.holdHours * 3_600)} s`,
    withUnit(streamBytesMax, "B"),
  );

  // Drains.
  const drain: Step[] = [];
  const drainMax = measured.drainBytesPerSecond;
  const busy = Math.ceil(streamLines / (drainMax * assumed.drainShare));
  step(
    drain,
    "drains that a stream keeps busy",
    `${withUnit(streamLines, "B/s")} ÷ (${withUnit(drainMax, "B/s")} × ${assumed.drainShare}) = ${threeDigits(streamLines / (drainMax * assumed.drainShare))}`,
    whole(busy),
  );
  const laneLines = lines / nodes / node.threads;
  const fleet = { nodes, streams, lanesPerNode: node.threads };
  const drainsPerStream = enoughDrains(fleet, busy, drainMax / laneLines);
  const partitions = partitionsFor(drainsPerStream);
  step(
    drain,
    "drains of a stream",
    "and more, until none of any stream's is full, by the servers' own hash",
    whole(drainsPerStream),
  );
  step(
    drain,
    "--partitions",
    `${PARTITIONS_PER_DRAIN} × ${drainsPerStream}, the next power of two`,
    whole(partitions),
  );
  const fullest = fullestDrain(fleet, partitions, drainsPerStream);
  const fullestLess = fullestDrain(fleet, partitions, drainsPerStream - 1);
  step(
    drain,
    "the fullest drain, and with one gone",
    `${fullest} and ${fullestLess} of ${nodesPerStream * node.threads} lanes × ${withUnit(laneLines, "B/s")} ÷ ${withUnit(drainMax, "B/s")}`,
    `${percent((fullest * laneLines) / drainMax)}, ${percent((fullestLess * laneLines) / drainMax)}`,
  );
  const drains = streams * drainsPerStream;
  step(drain, "**drains**", `${whole(streams)} × ${drainsPerStream}`, `**${whole(drains)}**`);
  const byCores = drains / assumed.drainCores;
  const byDisk = lines / (assumed.diskBytesPerSecond * assumed.drainDisks * assumed.drainShare);
  const drainMachines = Math.max(2, Math.ceil(Math.max(byCores, byDisk)));
  step(
    drain,
    "machines of drains",
    `the most of ${whole(drains)} ÷ ${assumed.drainCores} cores = ${threeDigits(byCores)}, ${withUnit(lines, "B/s")} ÷ (${assumed.drainDisks} × ${withUnit(assumed.diskBytesPerSecond, "B/s")} × ${assumed.drainShare}) = ${threeDigits(byDisk)}, and 2`,
    whole(drainMachines),
  );
  step(
    drain,
    "storage a day at the peak's rate",
    `${withUnit(lines, "B/s")} × ${whole(DAY_SECONDS)} s`,
    withUnit(lines * DAY_SECONDS, "B"),
  );
  step(
    drain,
    "these machines keep",
    `${drainMachines} × ${withUnit(assumed.drainStoreBytes, "B")} ÷ ${withUnit(lines, "B/s")}`,
    duration((drainMachines * assumed.drainStoreBytes) / lines),
  );
  const commits = lines / DRAIN_GROUP_BYTES_MAX;
  step(
    drain,
    "commits, of all drains",
    `${withUnit(lines, "B/s")} ÷ ${DRAIN_GROUP_BYTES_MAX / 1024 ** 2} MiB`,
    `${threeDigits(commits)}/s; one takes ${threeDigits(measured.commitMs)} ms`,
  );
  step(
    drain,
    "VictoriaMetrics behind `forward`, cores",
    `${withUnit(total, "/s")} ÷ ${withUnit(measured.storeMetricsPerSecond, "/s")}`,
    whole(Math.ceil(total / measured.storeMetricsPerSecond)),
  );

  // NATS.
  const nats: Step[] = [];
  const cpuPerGigabyte = measured.publishCpuSecondsPerGigabyte + measured.drainCpuSecondsPerGigabyte;
  const nic = assumed.nicBitsPerSecond / 8;
  const held = REPLICAS * streamBytesMax * streams;
  const assets = streams * (2 + partitions);
  const wants: readonly (readonly [string, number, string])[] = [
    [
      "cores",
      ((messages / 1e9) * cpuPerGigabyte) / (assumed.natsCores * assumed.natsShare),
      `${withUnit(messages, "B/s")} × (${threeDigits(measured.publishCpuSecondsPerGigabyte)} + ${threeDigits(measured.drainCpuSecondsPerGigabyte)} s/GB) ÷ (${assumed.natsCores} × ${assumed.natsShare})`,
    ],
    [
      "network, each way",
      (REPLICAS * messages) / (nic * assumed.natsShare),
      `3 × ${withUnit(messages, "B/s")} ÷ (${withUnit(nic, "B/s")} × ${assumed.natsShare})`,
    ],
    [
      "disk, writing",
      (REPLICAS * messages) / (assumed.diskBytesPerSecond * assumed.natsShare),
      `3 × ${withUnit(messages, "B/s")} ÷ (${withUnit(assumed.diskBytesPerSecond, "B/s")} × ${assumed.natsShare})`,
    ],
    [
      "disk, holding",
      held / assumed.natsStoreBytes,
      `3 × ${whole(streams)} × ${withUnit(streamBytesMax, "B")} ÷ ${withUnit(assumed.natsStoreBytes, "B")}`,
    ],
    [
      "replicated assets",
      (REPLICAS * assets) / assumed.assetsPerServer,
      `3 × ${whole(streams)} × (stream + bucket + ${partitions} consumers) ÷ ${whole(assumed.assetsPerServer)}`,
    ],
  ];
  for (const [what, want, sum] of wants) step(nats, `servers by ${what}`, sum, threeDigits(want));
  const most = Math.max(...wants.map(([, want]) => want));
  const needed = Math.max(SERVERS_MIN, Math.ceil(most) + 1);
  const clusters = Math.ceil(needed / assumed.serversPerCluster);
  const perCluster = Math.max(SERVERS_MIN, Math.ceil(needed / clusters));
  const servers = clusters * perCluster;
  step(
    nats,
    "**servers, one to spare**",
    `the most, ${threeDigits(most)}, + 1, at least 3; at most ${assumed.serversPerCluster} to a cluster`,
    `**${servers} in ${clusters} ${clusters === 1 ? "cluster" : "clusters"}**`,
  );
  step(
    nats,
    "a server's network",
    `3 × ${withUnit(messages, "B/s")} ÷ ${servers}`,
    `${withUnit((REPLICAS * messages * 8) / servers, "bit/s")} each way`,
  );
  step(
    nats,
    "a server's disk",
    `3 × ${withUnit(messages, "B/s")} ÷ ${servers}`,
    withUnit((REPLICAS * messages) / servers, "B/s"),
  );

  return {
    name,
    node,
    nodes,
    metricsPerSecond: total,
    lineBytesPerSecond: lines,
    messageBytesPerSecond: messages,
    streamBytesPerSecondMax: streamMax,
    streams,
    nodesPerStream,
    partitions,
    drainBytesPerSecondMax: drainMax,
    drainsPerStream,
    servers,
    clusters,
    drainMachines,
    streamBytesMax,
    retentionBytes,
    sections: [
      { title: "Ingest", steps: ingest },
      { title: "Streams", steps: stream },
      { title: "Drains", steps: drain },
      { title: "NATS servers", steps: nats },
    ],
  };
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

interface Lanes {
  readonly nodes: number;
  readonly streams: number;
  readonly lanesPerNode: number;
}

/** One to spare, and as many as keep the fullest below what a drain takes, as long as more of them help. */
function enoughDrains(lanes: Lanes, busy: number, lanesPerDrainMax: number): number {
  for (let drains = busy + 1; drains <= DRAINS_TIMES_MAX * (busy + 1); drains++)
    if (fullestDrain(lanes, partitionsFor(drains), drains) < lanesPerDrainMax) return drains;
  return busy + 1;
}

function partitionsFor(drains: number): number {
  return Math.min(PARTITIONS_MAX, powerOfTwo(PARTITIONS_PER_DRAIN * drains));
}

/** Most lanes that a drain of any stream has: by the servers' own hash, partitions dealt out evenly. */
export function fullestDrain(lanes: Lanes, partitions: number, drains: number): number {
  const counts = new Map<number, number>();
  for (let node = 0; node < lanes.nodes; node++)
    for (let lane = 0; lane < lanes.lanesPerNode; lane++) {
      const partition = partitionOf(nodeName(node), lane, partitions);
      const drain = streamOf(node, lanes) * drains + (partition % drains);
      counts.set(drain, (counts.get(drain) ?? 0) + 1);
    }
  return Math.max(...counts.values());
}

/** Neighbours share a stream. */
export function streamOf(node: number, { nodes, streams }: Pick<Lanes, "nodes" | "streams">): number {
  return Math.floor((node * streams) / nodes);
}

/** As a StatefulSet names its pods. */
export function nodeName(index: number): string {
  return `ingest-${index}`;
}

// What the plan takes for granted because nobody measured it here. Each is one number with its unit and where it comes from;
// docs/scale.md lists them all, and a reader with other machines changes them here and generates the page again.

export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly source: string;
}

const SHARE = "so that a machine, or a third of them, can go and the rest still carry the load";

export const ASSUMPTIONS = {
  ingestCores: {
    value: 4,
    unit: "cores",
    what: "an ingest node",
    source: "a common size; this machine has 2",
  },
  ingestCoresKept: {
    value: 2,
    unit: "cores",
    what: "of them that the ingest threads, one a core, do not get",
    source: "the follower thread fills one, the kernel's network and disk work another",
  },
  threadEfficiency: {
    value: 0.8,
    unit: "of one thread's rate",
    what: "what each of several ingest threads still does",
    source: "threads share no request, but memory bandwidth; not measurable on 2 cores",
  },
  largeBatchShare: {
    value: 0.9,
    unit: "of metrics",
    what: "arrive in batches of 1,000, from collectors; the rest in batches of 3",
    source: "the two batch sizes that were measured; your clients decide",
  },
  nodeShare: { value: 0.55, unit: "of its limit", what: "a node carries at the day's peak", source: SHARE },
  networkRoundTripMs: {
    value: 0.5,
    unit: "ms",
    what: "added by a network to a publish: to the leader, and from there to a follower",
    source: "between zones of one region; loopback has none",
  },
  nicBitsPerSecond: {
    value: 10e9,
    unit: "bit/s each way",
    what: "a machine's network",
    source: "a common size; 25 is another",
  },
  diskBytesPerSecond: {
    value: 1e9,
    unit: "B/s",
    what: "a local NVMe disk writes for good",
    source: "data-sheet figures of data-centre disks are 1 to 3; measure yours with fio",
  },
  nodeDiskBytes: {
    value: 1.9e12,
    unit: "B",
    what: "an ingest node's disk",
    source: "a common size",
  },
  retentionShare: {
    value: 0.8,
    unit: "of the disk",
    what: "given to --retention-size",
    source: "the rest for open segments and their indexes",
  },
  leaderCores: {
    value: 2,
    unit: "cores",
    what: "that the leader of one stream can use of its server",
    source:
      "it reads from clients, appends and sends to followers side by side; how far that goes cannot be measured on 2 shared cores",
  },
  natsCores: { value: 16, unit: "cores", what: "a NATS server", source: "a common size" },
  natsStoreBytes: {
    value: 3.8e12,
    unit: "B",
    what: "a NATS server's max_file_store",
    source: "one NVMe disk",
  },
  natsShare: {
    value: 0.5,
    unit: "of its limit",
    what: "a NATS server, and a stream's leader, carries at the day's peak",
    source: `${SHARE}; the other half is what catches up after an outage`,
  },
  serversPerCluster: {
    value: 9,
    unit: "servers",
    what: "in one cluster at most",
    source:
      "all are members of the meta group and connected to each other; larger ones are several clusters here",
  },
  assetsPerServer: {
    value: 1_000,
    unit: "replicated assets",
    what: "streams and consumers that one NATS server keeps at most",
    source: "where Synadia's health check CLUSTER_003 begins to warn",
  },
  drainCores: { value: 16, unit: "cores", what: "a machine of drains", source: "a common size" },
  drainShare: { value: 0.5, unit: "of its limit", what: "a drain carries at the day's peak", source: SHARE },
  drainStoreBytes: {
    value: 30e12,
    unit: "B",
    what: "a drain machine's disks: four, each written at the rate above",
    source: "four NVMe disks of 7.6 TB",
  },
  drainDisks: { value: 4, unit: "disks", what: "in a drain machine", source: "as above" },
  holdHours: {
    value: 2,
    unit: "hours",
    what: "that the stream holds while every drain is away (--stream-size)",
    source: "time for a person to come",
  },
} as const satisfies Readonly<Record<string, Assumption>>;

export type Assumed = Readonly<Record<keyof typeof ASSUMPTIONS, number>>;

export const ASSUMED: Assumed = Object.fromEntries(
  Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]),
) as Assumed;

// The stream that blocks go through, as this project wants it, and what may be different. One place says its subjects and
// limits, for the followers that fill it and the drains that empty it.
//
// Work-queue retention: a block stays until a drain has stored it, however long that takes. Discard new: a full stream refuses
// more instead of dropping what is there. So the defaults cannot lose what no drain has stored.

export interface StreamSettings {
  /** The stream's name, and the first word of its subjects. */
  stream: string;
  replicas: number;
  partitions: number;
  /** Most bytes that it holds; 0 for as many as the servers' disks. */
  bytesMax: number;
  /** Longest time that a block stays though no drain has stored it, milliseconds; 0 for ever. */
  ageMsMax: number;
}

/** What a JetStream server is asked for. The window is how long a message's id is remembered. */
export const DUPLICATE_WINDOW_MS = 120_000;
const NS_PER_MS = 1e6;

/** All subjects of one partition. */
export function partitionSubject(stream: string, partition: number): string {
  return `${stream}.${partition}.>`;
}

export function blockSubject(stream: string, partition: number, node: string, lane: number): string {
  return `${stream}.${partition}.${node}.${lane}`;
}

export function streamConfig(settings: StreamSettings) {
  const { stream, replicas, partitions, bytesMax, ageMsMax } = settings;
  return {
    name: stream,
    subjects: Array.from({ length: partitions }, (_, partition) => partitionSubject(stream, partition)),
    retention: "workqueue" as const,
    discard: "new" as const,
    storage: "file" as const,
    num_replicas: replicas,
    max_bytes: bytesMax === 0 ? -1 : bytesMax,
    max_age: ageMsMax * NS_PER_MS,
    duplicate_window: DUPLICATE_WINDOW_MS * NS_PER_MS,
  };
}

/** What of a stream that is there is not as wanted: "replicas 1 instead of 3". */
export function streamDifferences(
  wanted: ReturnType<typeof streamConfig>,
  found: Readonly<Record<string, unknown>>,
): string[] {
  const differences: string[] = [];
  const compare = (word: string, want: unknown, have: unknown): void => {
    if (JSON.stringify(want) !== JSON.stringify(have)) differences.push(`${word} ${have} instead of ${want}`);
  };
  compare("retention", wanted.retention, found.retention);
  compare("discard", wanted.discard, found.discard);
  compare("storage", wanted.storage, found.storage);
  compare("replicas", wanted.num_replicas, found.num_replicas);
  compare("partitions", wanted.subjects.length, partitionsOf(wanted.name, found.subjects));
  compare("size", bytesAsFlag(wanted.max_bytes), bytesAsFlag(found.max_bytes));
  compare("age", ageAsFlag(wanted.max_age), ageAsFlag(found.max_age));
  return differences;
}

/** As --stream-size takes it. */
function bytesAsFlag(bytes: unknown): string {
  return typeof bytes === "number" && bytes > 0 ? `${bytes}B` : "off";
}

/** As --stream-age takes it. */
function ageAsFlag(ageNs: unknown): string {
  return typeof ageNs === "number" && ageNs > 0 ? `${ageNs / NS_PER_MS}ms` : "off";
}

/** How many partitions a stream's subjects make; 0 where they are none of ours. */
export function partitionsOf(stream: string, subjects: unknown): number {
  if (!Array.isArray(subjects)) return 0;
  const wanted = subjects.map((_, partition) => partitionSubject(stream, partition));
  return wanted.every((subject) => subjects.includes(subject)) ? subjects.length : 0;
}

/** The partition of a log's lane: the same for good, whatever its node is called, and even over many (FNV-1a, 32 bits). */
export function partitionOf(origin: string, lane: number, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${origin}.${lane}`)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % partitions;
}

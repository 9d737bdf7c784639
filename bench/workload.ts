// The metrics that every contender gets, and each one's own way to write them down.
// Deterministic: the same batches in every run, but for timestamps, which start at the run's own time because
// VictoriaMetrics drops what is older than its retention.

export interface Metric {
  readonly name: string;
  readonly host: string;
  readonly value: number;
  readonly timestamp: number;
}

const NAMES = [
  "cpu_usage", "memory_used", "disk_read_bytes", "disk_write_bytes", "network_received_bytes",
  "network_sent_bytes", "load_average", "open_files", "threads", "context_switches",
  "page_faults", "swap_used", "requests_total", "request_latency", "queue_depth",
  "cache_hits", "cache_misses", "gc_pause", "heap_used", "uptime",
] as const; // biome-ignore format: a table

/** `count` batches of `size` metrics; no two share a series. */
export function makeBatches(count: number, size: number, startMs: number): readonly (readonly Metric[])[] {
  const random = xorshift(0x7469_6465);
  const hostsPerBatch = Math.ceil(size / NAMES.length);
  return Array.from({ length: count }, (_, batch) =>
    Array.from({ length: size }, (_, index) => ({
      name: NAMES[index % NAMES.length]!,
      host: `web${batch * hostsPerBatch + Math.floor(index / NAMES.length)}`,
      value: (random() % 100_000) / 100,
      timestamp: startMs + batch,
    })),
  );
}

/** What tidemark, Fastify and nginx are sent. About 105 bytes a metric. */
export function encodeTidemark(batch: readonly Metric[]): string {
  const metrics = batch.map(({ name, host, value, timestamp }) => ({
    name,
    value,
    type: "gauge",
    tags: { host },
    timestamp,
  }));
  return JSON.stringify({ metrics });
}

/** VictoriaMetrics' `/api/v1/import`: one JSON object a line, one series each. */
export function encodeImport(batch: readonly Metric[]): string {
  const lines = batch.map(({ name, host, value, timestamp }) =>
    JSON.stringify({ metric: { __name__: name, host }, values: [value], timestamps: [timestamp] }),
  );
  return `${lines.join("\n")}\n`;
}

/** Influx line protocol for `/write?precision=ms`. */
export function encodeInflux(batch: readonly Metric[]): string {
  const lines = batch.map(
    ({ name, host, value, timestamp }) => `${name},host=${host} value=${value} ${timestamp}`,
  );
  return `${lines.join("\n")}\n`;
}

function xorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

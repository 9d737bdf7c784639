// Levels of a made-up server that follows the Universal Scalability Law up to the one thread that it has: what a real
// run gives, in form and in proportion. The same on every call.

import type {
  EvidencePoint,
  LatencyJson,
  LevelJson,
  ScalabilityJson,
} from "../../src/capacity/report/report-json.ts";

/** The law that the made-up server follows: one hot thread, a little contention and coherence. */
const LAMBDA = 2_610;
const SIGMA = 0.1128;
const KAPPA = 0.0000062;

/** Of nothing that was timed. */
const NONE: LatencyJson = {
  mean: null,
  p50: null,
  p90: null,
  p99: null,
  p999: null,
  p9999: null,
  max: null,
};

interface Shape {
  readonly kind: LevelJson["kind"];
  readonly part: string;
  readonly clients: number;
  readonly planned: number | null;
  readonly id: string;
}

/** The ladder paced and unpaced, the search, and its repeats. */
export function sampleLevels(): LevelJson[] {
  return [
    ...[20, 50, 100, 200, 500, 1000, 2000, 5000, 10000].map((clients) => paced(clients)),
    ...[1, 8, 64, 200, 500, 1000, 2000].map((clients) => unpaced(clients)),
    ...[4000, 8000, 16000, 20000, 22000, 24000].map((rate) => open(rate, "search")),
    ...[1, 2, 3].map((turn) => open(21_000, "repeat", turn)),
  ].map(levelOf);
}

function paced(clients: number): Shape {
  return { kind: "paced", part: "ladder", clients, planned: clients * 10, id: `paced-${clients}` };
}

function unpaced(clients: number): Shape {
  return { kind: "unpaced", part: "ladder", clients, planned: null, id: `unpaced-${clients}` };
}

function open(rate: number, part: string, turn = 1): Shape {
  return { kind: "open", part, clients: 512, planned: rate, id: `open-${rate}${turn > 1 ? `-${turn}` : ""}` };
}

function lawRate(clients: number): number {
  return (LAMBDA * clients) / (1 + SIGMA * (clients - 1) + KAPPA * clients * (clients - 1));
}

function levelOf(shape: Shape): LevelJson {
  const noise = randomFrom(shape.id);
  const ceiling = 21_900 * (0.985 + 0.03 * noise());
  const offered = shape.planned ?? lawRate(shape.clients) * (0.97 + 0.06 * noise());
  const load = Math.min(1.4, offered / ceiling);
  const isOver = shape.planned !== null ? load > 1 : shape.clients >= 1000;
  const crowd = shape.clients > 2000 ? 0.92 : 1;
  const rate = Math.min(offered, ceiling) * crowd;
  const success = isOver ? (shape.planned === null ? 0.9996 : Math.max(0.55, ceiling / offered) * crowd) : 1;
  const base = 0.19 + shape.clients * 0.00004;
  const queueing = base / Math.max(0.03, 1 - Math.min(load, 0.97));
  const mean = shape.planned === null ? Math.max(base, (shape.clients / rate) * 1000) : queueing;
  const p99 = isOver
    ? mean * 2.1 + 38
    : mean * (shape.planned === null ? 1.5 + 0.3 * noise() : 2.6 + 2 * load * noise());
  const seconds = 3;
  const requests = Math.round((rate * seconds) / success);
  const failed = requests - Math.round(requests * success);
  const misses = [
    ...(success < 0.99 ? [`success ${(success * 100).toFixed(1)} % < 99 %`] : []),
    ...(p99 > 50 ? [`p99 ${Math.round(p99)} ms > 50 ms`] : []),
  ];
  const measured = (mean * rate) / 1000;
  return {
    id: shape.id,
    kind: shape.kind,
    part: shape.part,
    clients: shape.clients,
    pace_ms: shape.kind === "paced" ? 100 : null,
    planned_rate: shape.planned,
    rate,
    requests,
    success,
    errors:
      failed > 0
        ? {
            timeout: Math.ceil(failed * 0.7),
            refused: Math.floor(failed * 0.2),
            reset: Math.floor(failed * 0.1),
          }
        : {},
    statuses: { "200": requests - failed },
    seconds,
    planned: shape.planned === null ? requests : Math.round(shape.planned * seconds),
    latency_ms: latencyOf(mean, p99),
    latency_uncorrected_ms: latencyOf(isOver ? mean * 0.32 : mean * 0.97, isOver ? p99 * 0.21 : p99 * 0.93),
    latency_refused_ms: NONE,
    connect_ms: latencyOf(0.09, 0.4),
    send_lag_ms: latencyOf(0.02, 0.3 + load * 0.2),
    connections: {
      opened: shape.clients,
      failed: isOver ? 12 : 0,
      clients_answered: shape.clients,
      open_max: shape.clients,
    },
    bytes_sent: requests * 412,
    bytes_received: requests * 168,
    little: { measured, expected: measured * 1.01, agrees: shape.clients < 5000 },
    stalls: shape.id === "paced-5000" ? [{ at_ms: 1204, lasted_ms: 212 }] : [],
    generator: { threads: 1, busy_ratio: Math.min(0.62, load * 0.5), wait_ratio: 0.03, loop_lag_ms_max: 4.1 },
    void: null,
    objective_met: misses.length === 0,
    objective_misses: misses,
    evidence: evidenceOf(shape, rate, mean, load, isOver, noise),
    saturation: isOver ? { at_ms: 750, resource: "one-thread" } : null,
  };
}

function latencyOf(mean: number, p99: number): LatencyJson {
  return {
    mean,
    p50: mean * 0.86,
    p90: mean + (p99 - mean) * 0.4,
    p99,
    p999: p99 * 1.6,
    p9999: p99 * 2.2,
    max: p99 * 2.7,
  };
}

function evidenceOf(
  shape: Shape,
  rate: number,
  mean: number,
  load: number,
  isOver: boolean,
  noise: () => number,
): EvidencePoint[] {
  return Array.from({ length: 13 }, (_, index) => {
    const at_ms = index * 250;
    const warm = Math.min(1, (index + 0.6) / 3);
    const wobble = 0.96 + 0.08 * noise();
    const thread = Math.min(0.995, load * warm * wobble);
    return {
      at_ms,
      rate: index === 0 ? null : rate * warm * wobble,
      failed_rate: index === 0 ? null : isOver && index > 3 ? rate * 0.12 * wobble : 0,
      latency_ms_mean: index === 0 ? null : mean * (0.55 + 0.45 * warm) * wobble,
      thread_ratio: index === 0 ? null : thread,
      process_cores: index === 0 ? null : thread * 1.12,
      machine_ratio: index === 0 ? null : Math.min(0.99, thread * 0.81),
      descriptors_ratio: (shape.clients + 40) / 1_048_576 + 0.011 * warm,
      accept_queue_ratio: isOver ? Math.min(1, 0.25 * noise() + (index < 3 ? 0.9 * warm : 0.15)) : 0,
      listen_overflows: isOver && shape.clients > 1000 ? Math.min(index, 3) * 11 : 0,
      memory_bytes: 88e6 + index * 0.4e6 + shape.clients * 9_000,
      queue_ratio: Math.min(0.93, load * load * 0.6 * warm * wobble),
      loop_lag_ms: 0.6 + (isOver ? 9 * noise() : 0.8 * noise()),
      sync_ms: 2.1 + 1.7 * noise(),
    };
  });
}

/** A level in which nothing came back. */
export function emptyLevel(): LevelJson {
  return {
    ...levelOf(unpaced(20)),
    rate: 0,
    requests: 0,
    success: 0,
    errors: {},
    statuses: {},
    latency_ms: NONE,
    latency_uncorrected_ms: NONE,
    latency_refused_ms: NONE,
    connect_ms: NONE,
    send_lag_ms: NONE,
    little: { measured: 0, expected: null, agrees: null },
    generator: { threads: 1, busy_ratio: null, wait_ratio: null, loop_lag_ms_max: 0 },
    objective_met: false,
    objective_misses: ["nothing was sent"],
    saturation: null,
    evidence: [0, 250].map((at_ms) => ({
      at_ms,
      rate: null,
      failed_rate: null,
      latency_ms_mean: null,
      thread_ratio: null,
      process_cores: null,
      machine_ratio: null,
      descriptors_ratio: null,
      accept_queue_ratio: null,
      listen_overflows: null,
      memory_bytes: null,
      queue_ratio: null,
      loop_lag_ms: null,
      sync_ms: null,
    })),
  };
}

export function sampleScalability(): ScalabilityJson {
  const clients = [1, 2, 4, 8, 16, 32, 64, 100, 150, 200, 300, 500, 700, 1000, 1400, 2000];
  return {
    lambda: LAMBDA,
    sigma: SIGMA,
    kappa: KAPPA,
    lambda_interval: [2_480, 2_740],
    sigma_interval: [0.1071, 0.1185],
    kappa_interval: [0.0000041, 0.0000083],
    r_squared: 0.9957,
    peak_clients: 378,
    peak_rate: 21_950,
    points: [1, 8, 64, 200, 500, 1000, 2000].map((n) => ({
      clients: n,
      rate: lawRate(n) * (0.97 + 0.06 * randomFrom(`p${n}`)()),
    })),
    curve: clients.map((n) => {
      const rate = lawRate(n);
      return { clients: n, rate, low: rate * (0.95 - n / 40_000), high: rate * (1.05 + n / 40_000) };
    }),
    note: "Contention (σ = 11 %) bounds the rate: one part in 9 of each request's work is done one at a time.",
  };
}

/** mulberry32 from a text: the same numbers for the same text. */
function randomFrom(text: string): () => number {
  let state = [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

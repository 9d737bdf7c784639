// Reports to test with: a full and realistic one, one in which nothing is known, one whose run proves nothing, and one
// whose every text tries to break out of where it is put. Pure and the same on every call: randomness has a fixed seed.

import type { LevelJson, PointJson, ReportJson } from "../../src/capacity/report/report-json.ts";
import { emptyLevel, sampleLevels, sampleScalability } from "./sample-levels.ts";
import { sampleSuspects } from "./sample-suspects.ts";

const OBJECTIVE = "success>=99%,p99<=50ms";

export function fullReport(): ReportJson {
  const levels = sampleLevels();
  return {
    format: "tidemark-capacity/1",
    tidemark: "0.1.0",
    started_at: "2025-11-23T16:02:11.000Z",
    took_s: 164.2,
    command: "tidemark capacity --verify --compare-phases --sweep threads=1,2,4,8 --out ./capacity",
    target: {
      url: "http://127.0.0.1:41873/metrics",
      is_own: true,
      is_tidemark: true,
      pid: 20_117,
      software: "tidemark 0.1.0 (Bun 1.4.5)",
      settings: { threads: 1, ack: "written", backlog: 511, "keep-alive": "on", "rate-limit": 0 },
    },
    machine: {
      processor: "Intel(R) Xeon(R) Processor @ 2.60GHz",
      cores: 2,
      memory_bytes: 8_340_373_504,
      system: "Linux 6.1.0-28-amd64 (Debian 12)",
      stolen_ratio: 0.021,
    },
    levels,
    capacity: {
      rate: 21_040,
      low: 20_310,
      high: 21_680,
      objective: OBJECTIVE,
      is_at_least: false,
      sweet_spot: pointOf(levels, "paced-1000"),
      knee: pointOf(levels, "unpaced-200"),
      breaking_point: pointOf(levels, "unpaced-1000"),
      clients_at_breaking: 1000,
    },
    scalability: sampleScalability(),
    suspects: sampleSuspects(),
    findings: [
      "It sustains 21,040 requests a second within the objective (20,310 to 21,680 over 3 repeats).",
      "From 64 to 500 clients the rate grows by 9 % and p99 by 7 times: more clients only queue.",
      "The busiest thread used 99 % of a core from 16,000 requests a second on, while the other core was 41 % idle.",
      "One stall of 212 ms was seen, at 5,000 clients; the uncorrected p99 shows a ninth of it.",
    ],
    origin: originRows(),
    budget: [
      { stage: "accept and read", ms: 0.031, origin_ms: 0.1 },
      { stage: "admission", ms: 0.004, origin_ms: 0.05 },
      { stage: "decode", ms: 0.012, origin_ms: 0.15 },
      { stage: "queue", ms: 0.118, origin_ms: 0.1 },
      { stage: "commit", ms: 0.164, origin_ms: null },
      { stage: "answer", ms: 0.027, origin_ms: 0.12 },
    ],
    phases: phases(),
    sweeps: sweeps(),
    verification: [
      {
        suspect: "one-thread",
        remedy: "--threads 2",
        rate_before: 21_040,
        rate_after: 34_900,
        predicted: 1.7,
        measured: 1.66,
        conclusion: "the gain agrees with the prediction",
        next_suspect: "all-cores",
      },
      {
        suspect: "listen-queue",
        remedy: "--backlog 4096",
        rate_before: 21_040,
        rate_after: 21_210,
        predicted: 1.15,
        measured: 1.01,
        conclusion: "less than predicted: the queue overflows only while 2,000 clients connect at once",
        next_suspect: "one-thread",
      },
    ],
    conclusion: [
      "This server takes 21,040 requests a second within success ≥ 99 % and p99 ≤ 50 ms.",
      "One ingest thread is the limit: it is busy all the time while a core is free.",
      "A second thread brings 1.66 times the rate, measured; then both cores are the limit.",
    ],
    next_step: [
      "Run with --threads 2.",
      "Then measure again with the generator on another machine: here it takes a share of the same two cores.",
    ],
    missing: ["CPU quota: no cgroup controller is mounted here", "stack traces of the kernel: not permitted"],
    void: null,
  };
}

/** The full report with a few of its levels: a browser lays it out in a third of the time. */
export function shortReport(report: ReportJson = fullReport()): ReportJson {
  const kept = new Set([
    "paced-20",
    "paced-1000",
    "paced-5000",
    "unpaced-64",
    "unpaced-1000",
    "unpaced-2000",
    "open-8000",
    "open-24000",
  ]);
  return { ...report, levels: report.levels.filter((level) => kept.has(level.id)) };
}

/** Nothing was found out: every figure that may be null is, every list that may be empty is. */
export function minimalReport(): ReportJson {
  return {
    ...fullReport(),
    took_s: 0.4,
    command: "tidemark capacity --target http://[::1]:8080/",
    target: {
      url: "http://[::1]:8080/",
      is_own: false,
      is_tidemark: false,
      pid: null,
      software: null,
      settings: null,
    },
    machine: { processor: "unknown", cores: 1, memory_bytes: 0, system: "Darwin 25.0", stolen_ratio: null },
    levels: [emptyLevel()],
    capacity: {
      rate: null,
      low: null,
      high: null,
      objective: OBJECTIVE,
      is_at_least: false,
      sweet_spot: null,
      knee: null,
      breaking_point: null,
      clients_at_breaking: null,
    },
    scalability: null,
    suspects: sampleSuspects().map((suspect) => ({
      ...suspect,
      verdict: "unknown" as const,
      for: [],
      against: [],
      gain: { predicted: null, measured: null },
    })),
    findings: [],
    origin: originRows().map((row) => ({ ...row, measured: null })),
    budget: [],
    phases: phases().map((row) => ({
      ...row,
      origin: null,
      rate: null,
      success_100: null,
      p99_ms: null,
      limit: null,
    })),
    sweeps: [
      {
        setting: "ack",
        rows: [{ value: "synced", rate: null, p99_ms: null, success: null, gain: null, error: null }],
      },
    ],
    verification: [
      {
        suspect: "pool",
        remedy: "none",
        rate_before: null,
        rate_after: null,
        predicted: null,
        measured: null,
        conclusion: "not tried: the target is not ours",
        next_suspect: null,
      },
    ],
    conclusion: [],
    next_step: [],
    missing: ["no --pid: nothing of the server's side is known"],
  };
}

/** A report with no level at all, as when nothing listens at the target. */
export function emptyReport(): ReportJson {
  return {
    ...minimalReport(),
    levels: [],
    suspects: [],
    origin: [],
    phases: [],
    sweeps: [],
    verification: [],
  };
}

export function voidReport(): ReportJson {
  const why =
    "the generator was the limit: its busiest thread used 99 % of a core at 24,000/s; try --threads 2 or another machine";
  const full = fullReport();
  const levels = full.levels.map((level, index) => (index > 20 ? { ...level, void: why } : level));
  return { ...full, levels, capacity: { ...full.capacity, is_at_least: true }, void: why };
}

/** What a target, a header or a setting may hold: markup, script, quotes, terminal commands, table marks. */
export const HOSTILE =
  `"><img src=x onerror="window.hostile=1"></title></style></script><script>window.hostile=2</script>` +
  "<!-- ' ` | * _ # [a](javascript:window.hostile=3) {{1}} &amp; \u001b[31m\u0007\u202e\u0000\r\n```\n# heading\n| a | b |";

/** Every text of the full report replaced: what is left is the shape. Verdicts, ids and kinds stay what they may be. */
export function hostileReport(): ReportJson {
  const kept = new Set([
    "id",
    "verdict",
    "format",
    "started_at",
    "suspect",
    "next_suspect",
    "kind",
    "objective",
    "level",
  ]);
  const poison = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return kept.has(key) || key === "part" ? value : HOSTILE;
    if (Array.isArray(value)) return value.map((item) => poison(item, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poison(inner, name)]));
  };
  const report = poison(fullReport(), "") as ReportJson;
  return {
    ...report,
    levels: report.levels.map((level) => ({ ...level, errors: { [HOSTILE]: 3 } as LevelJson["errors"] })),
    target: { ...report.target, settings: { [HOSTILE]: HOSTILE, deep: { [HOSTILE]: [HOSTILE, null] } } },
  };
}

function pointOf(levels: readonly LevelJson[], id: string): PointJson {
  const level = levels.find((one) => one.id === id)!;
  return {
    clients: level.clients,
    rate: level.rate,
    latency_ms: level.latency_ms.mean,
    p99_ms: level.latency_ms.p99,
    success: level.success,
    level: level.id,
  };
}

function originRows(): ReportJson["origin"] {
  const rows = [
    ["light", 20, 50, 1, 200, 0.01, 0.21],
    ["medium", 50, 100, 1, 500, 0.13, 0.2],
    ["high", 100, 100, 1, 1000, 0.41, 0.21],
    ["max", 200, 50, 0.9951, 2000, 0.53, 0.22],
    ["stress", 500, 20, 0.6408, 3333, 37.41, 0.28],
  ] as const;
  return rows.map(([test, clients, requests_each, success, rate, latency_ms, ours]) => ({
    test,
    clients,
    requests_each,
    origin: { success, rate, latency_ms },
    measured: { success: 1, rate: clients * 9.98, latency_ms: ours, p99_ms: ours * 3.1 },
  }));
}

function phases(): ReportJson["phases"] {
  return [
    {
      phase: "1–3",
      architecture: "one thread, no keep-alive, a write per request, backlog 10",
      flags: ["--threads", "1", "--keep-alive", "off", "--backlog", "10"],
      origin: { rate: 200, success_100: 0.802 },
      rate: 4_310,
      success_100: 0.971,
      p99_ms: 48.2,
      limit: "listen-queue",
    },
    {
      phase: "6",
      architecture: "8 threads",
      flags: ["--threads", "8"],
      origin: { rate: 1_500, success_100: 0.95 },
      rate: 24_800,
      success_100: 1,
      p99_ms: 41.7,
      limit: "all-cores",
    },
    {
      phase: "7",
      architecture: "16 threads, keep-alive, backlog 128",
      flags: ["--threads", "16", "--keep-alive", "on", "--backlog", "128"],
      origin: { rate: 2_000, success_100: 1 },
      rate: 23_900,
      success_100: 1,
      p99_ms: 46.3,
      limit: "all-cores",
    },
    {
      phase: "today",
      architecture: "a thread for each core, keep-alive, group commit",
      flags: [],
      origin: null,
      rate: 34_900,
      success_100: 1,
      p99_ms: 22.4,
      limit: "all-cores",
    },
  ];
}

function sweeps(): ReportJson["sweeps"] {
  const threads = [
    ["1", 21_040, 44.1],
    ["2", 34_900, 22.4],
    ["4", 31_200, 31.8],
    ["8", 24_800, 41.7],
  ] as const;
  const acks = [
    ["accepted", 22_900, 39.2],
    ["written", 21_040, 44.1],
    ["synced", 9_870, 48.9],
  ] as const;
  const rowsOf = (rows: readonly (readonly [string, number, number])[]) =>
    rows.map(([value, rate, p99_ms]) => ({
      value,
      rate,
      p99_ms,
      success: 1,
      gain: rate / rows[0]![1],
      error: null as string | null,
    }));
  return [
    {
      setting: "threads",
      rows: [
        ...rowsOf(threads),
        {
          value: "64",
          rate: null,
          p99_ms: null,
          success: null,
          gain: null,
          error: "the server did not start within 10 s",
        },
      ],
    },
    { setting: "ack", rows: rowsOf(acks) },
  ];
}

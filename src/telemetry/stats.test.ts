import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { allocateTelemetry, FIELD, PROBE_FIELD, probeRegion } from "./counters.layout.ts";
import { allocateFollowerFigures, FollowerFigures } from "./follower-figures.layout.ts";
import { allocateForwardFigures, ForwardNumbers } from "./forward-figures.layout.ts";
import { readProbe, readSnapshot } from "./snapshot.ts";
import { buildStats, hideSecrets } from "./stats.ts";
import { ThreadCounters } from "./thread-counters.ts";

const SETTINGS = {
  version: "0.1.0",
  runtime: "node 24",
  startedAtMs: 1_000,
  settings: { port: 8080, ack: "written" },
  replication: new FollowerFigures(allocateFollowerFigures()).read(),
  forwarding: new ForwardNumbers(allocateForwardFigures()).read(),
};

function statsOf(shared: ReturnType<typeof allocateTelemetry>) {
  return buildStats(readSnapshot(shared, 61_000), readProbe(shared), SETTINGS);
}

describe("the stats", () => {
  test("account for every batch, and name every reason even where its count is 0", () => {
    const shared = allocateTelemetry(2);
    const counters = [0, 1].map((thread) => new ThreadCounters(shared, thread));
    counters[0]!.settledStored(4, 12, 1_200);
    counters[1]!.rejectedMany(REFUSAL.rate_limit, 3);
    counters[1]!.set(FIELD.inFlightBatches, 2);
    const stats = statsOf(shared);
    assert.deepEqual(
      Object.keys(stats.accounting.rejected),
      REFUSALS.map(({ reason }) => reason),
    );
    assert.equal(stats.accounting.received, 7);
    assert.equal(stats.accounting.stored, 4);
    assert.equal(stats.accounting.rejected.rate_limit, 3);
    assert.equal(stats.accounting.in_flight, 2);
    assert.equal(stats.metrics_stored, 12);
    assert.equal(stats.threads[0]?.stored, 4);
    assert.equal(stats.uptime_s, 60);
    assert.equal(stats.ready, false);
  });

  test("tell of replication what its thread has written, and null where there is none or it has not yet", () => {
    const shared = allocateTelemetry(1);
    const memory = allocateFollowerFigures();
    const stats = () =>
      buildStats(readSnapshot(shared, 61_000), readProbe(shared), {
        ...SETTINGS,
        replication: new FollowerFigures(memory).read(),
      }).replication;
    assert.equal(stats()?.lines_behind, null);
    new FollowerFigures(memory).write({
      isFlowing: true,
      blocks: 1,
      lines: 2,
      bytes: 3,
      messageBytes: 4,
      duplicates: 5,
      retries: 6,
      linesSetAside: 7,
      linesSentAgain: 11,
      freshLagMs: 8,
      linesBehind: 9,
      linesLate: 10,
      linesUnchecked: 12,
    });
    assert.deepEqual(stats(), {
      flowing: true,
      blocks: 1,
      lines: 2,
      bytes: 3,
      message_bytes: 4,
      duplicates: 5,
      retries: 6,
      lines_set_aside: 7,
      lines_sent_again: 11,
      fresh_lag_ms: 8,
      lines_behind: 9,
      lines_late: 10,
      lines_unchecked: 12,
    });
    const none = buildStats(readSnapshot(shared, 61_000), readProbe(shared), {
      ...SETTINGS,
      replication: null,
    });
    assert.equal(none.replication, null);
  });

  test("tell of forwarding what its thread has written, and null where there is none or it has not yet", () => {
    const shared = allocateTelemetry(1);
    const memory = allocateForwardFigures();
    const stats = (forwarding: ReturnType<ForwardNumbers["read"]> | null) =>
      buildStats(readSnapshot(shared, 61_000), readProbe(shared), { ...SETTINGS, forwarding }).forwarding;
    assert.equal(stats(new ForwardNumbers(memory).read())?.lag_lines, null);
    new ForwardNumbers(memory).write({
      isFlowing: true,
      samples: 1,
      lagLines: 2,
      lagMs: 3,
      requests: 4,
      retries: 5,
      resends: 6,
      sentBytes: 7,
      deadLetters: 8,
      droppedLetterFiles: 9,
    });
    assert.deepEqual(stats(new ForwardNumbers(memory).read()), {
      flowing: true,
      samples: 1,
      lag_lines: 2,
      lag_ms: 3,
      requests: 4,
      retries: 5,
      resends: 6,
      sent_bytes: 7,
      dead_letters: 8,
      dropped_letter_files: 9,
    });
    assert.equal(stats(null), null);
  });

  test("give times in milliseconds, and null where nothing was timed", () => {
    const shared = allocateTelemetry(1);
    const counters = new ThreadCounters(shared, 0);
    counters.histograms.decode.record(2e6);
    counters.histograms.batchesPerCommit.record(9);
    const { latency_ms, commit } = statsOf(shared);
    const all = { count: 1, mean: 2, p50: 2, p90: 2, p99: 2, p999: 2, max: 2 };
    assert.deepEqual(latency_ms.decode, all);
    assert.deepEqual(latency_ms.total, {
      count: 0,
      mean: null,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
      max: null,
    });
    assert.equal(commit.batches.p99, 9);
  });

  test("say null for what is not known and unlimited for what has no limit", () => {
    const shared = allocateTelemetry(1);
    new ThreadCounters(shared, 0);
    const { figures } = probeRegion(shared);
    figures[PROBE_FIELD.descriptorsHard] = Number.POSITIVE_INFINITY;
    figures[PROBE_FIELD.descriptorsUsed] = 0;
    const stats = JSON.parse(JSON.stringify(statsOf(shared)));
    assert.deepEqual(stats.descriptors, { used: 0, soft: null, hard: "unlimited" });
    assert.equal(stats.connections.limit, null);
    assert.equal(stats.headroom.nearest, null);
    assert.equal(stats.threads[0].heartbeat_age_ms, null);
  });

  test("are the same shape whatever is known: no key comes or goes", () => {
    const empty = allocateTelemetry(1);
    const full = allocateTelemetry(1);
    const counters = new ThreadCounters(full, 0);
    for (const field of Object.values(FIELD)) counters.set(field, 1);
    for (const histogram of Object.values(counters.histograms)) histogram.record(1e6);
    probeRegion(full).figures.fill(1);
    assert.deepEqual(
      keysOf(JSON.parse(JSON.stringify(statsOf(full)))),
      keysOf(JSON.parse(JSON.stringify(statsOf(empty)))),
    );
  });

  test("have each of their keys explained in docs/stats.md, and each key there exists", () => {
    const shared = allocateTelemetry(1);
    const page = readFileSync(new URL("../../docs/stats.md", import.meta.url), "utf8");
    const named = new Set([...page.matchAll(/`([a-z0-9_.]+)`/g)].map((match) => match[1]!));
    const stats = JSON.parse(JSON.stringify(statsOf(shared)));
    for (const reason of REFUSALS) delete stats.accounting.rejected[reason.reason];
    for (const key of Object.keys(stats.settings)) delete stats.settings[key];
    const keys = keysOf(stats);
    for (const key of keys) {
      const last = key.slice(key.lastIndexOf(".") + 1);
      assert.ok(
        named.has(key) || named.has(last) || keys.some((other) => other.startsWith(`${key}.`)),
        `${key} is not in docs/stats.md`,
      );
    }
    for (const name of named) {
      if (name.includes(".") && !/^(cpu\.max)$/.test(name))
        assert.ok(keys.includes(name), `${name} is only in docs/stats.md`);
    }
    for (const { id } of stats.headroom.limits) assert.ok(named.has(id), `${id} is not in docs/stats.md`);
  });

  test("hide what a setting's name says is a secret", () => {
    const settings = { port: 1, tokens: ["web=s3cret"], apiToken: "", PASSWORD: "hunter2" };
    assert.deepEqual(hideSecrets(settings), { port: 1, tokens: "set", apiToken: "none", PASSWORD: "set" });
  });
});

/** Dotted paths; of a list, those of its first entry. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [] : keysOf(value[0], path);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = path === "" ? key : `${path}.${key}`;
    return [own, ...keysOf(inner, own)];
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { THREAD_SILENT_LOOKS_MAX, THREAD_SPIN_CPU_S_MIN } from "../limits.ts";
import { ThreadWatch } from "./thread-watch.ts";

/** Verdicts of `count` looks; the processor time grows by `cpuEach` a look from `cpu` on. */
function looks(watch: ThreadWatch, count: number, heartbeat: number, cpuEach: number, cpu = 0): string[] {
  return Array.from({ length: count }, (_, look) =>
    watch.look(0, { heartbeat, cpuSeconds: cpu + look * cpuEach }),
  );
}

test("a thread whose heart beats is alive however much it works", () => {
  const watch = new ThreadWatch();
  for (let beat = 1; beat < 100; beat++)
    assert.equal(watch.look(0, { heartbeat: beat, cpuSeconds: beat }), "alive");
});

test("a silent thread that uses the processor spins, and not before it is silent for long", () => {
  const watch = new ThreadWatch();
  const verdicts = looks(watch, THREAD_SILENT_LOOKS_MAX + 1, 5, THREAD_SPIN_CPU_S_MIN);
  assert.equal(verdicts.indexOf("spins"), THREAD_SILENT_LOOKS_MAX);
});

test("a silent thread that uses no processor waits, which is said once", () => {
  const watch = new ThreadWatch();
  const verdicts = looks(watch, 20 * THREAD_SILENT_LOOKS_MAX, 5, 0);
  assert.equal(verdicts.filter((verdict) => verdict === "waits").length, 1);
  assert.ok(!verdicts.includes("spins"));
});

test("a spinning thread that gets little of the processor is known by what it has used in all", () => {
  const watch = new ThreadWatch();
  const each = THREAD_SPIN_CPU_S_MIN / (4 * THREAD_SILENT_LOOKS_MAX);
  assert.ok(looks(watch, 5 * THREAD_SILENT_LOOKS_MAX, 5, each).includes("spins"));
});

test("a clock that is set back is a heartbeat as any other", () => {
  const watch = new ThreadWatch();
  for (let beat = 100; beat > 1; beat--)
    assert.equal(watch.look(0, { heartbeat: beat, cpuSeconds: 1000 - beat }), "alive");
});

test("a thread that has not begun to tick is left alone", () => {
  assert.deepEqual(new Set(looks(new ThreadWatch(), 100, 0, 1)), new Set(["alive"]));
});

test("where no processor time is told, a much longer silence counts as spinning", () => {
  const watch = new ThreadWatch();
  const verdicts = looks(watch, 4 * THREAD_SILENT_LOOKS_MAX + 1, 5, Number.NaN);
  assert.equal(verdicts.indexOf("spins"), 4 * THREAD_SILENT_LOOKS_MAX);
});

test("a replaced thread is watched afresh", () => {
  const watch = new ThreadWatch();
  looks(watch, THREAD_SILENT_LOOKS_MAX + 1, 5, THREAD_SPIN_CPU_S_MIN);
  assert.ok(!looks(watch, THREAD_SILENT_LOOKS_MAX, 5, THREAD_SPIN_CPU_S_MIN).includes("spins"));
});

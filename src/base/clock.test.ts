import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { realClock } from "./clock.ts";

test("all threads read one monotonic time", async () => {
  for (let thread = 0; thread < 4; thread++) {
    const beforeMs = realClock.monotonicMs();
    const worker = new Worker(new URL("./clock.hammer.worker.ts", import.meta.url));
    const [readMs] = await once(worker, "message");
    const afterMs = realClock.monotonicMs();
    assert.ok(beforeMs < readMs && readMs < afterMs, `${beforeMs} < ${readMs} < ${afterMs}`);
    await worker.terminate();
  }
});

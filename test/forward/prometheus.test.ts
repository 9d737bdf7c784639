// Prometheus takes no sample that is older than the last of its series, unless it is given a window for them; and it is killed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { stopServers } from "../support/server-process.ts";
import { startStore, stopStores, storeMissing } from "../support/store-process.ts";
import { KilledRun } from "./killed-run.ts";

const WINDOW = "storage:\n  tsdb:\n    out_of_order_time_window: 1h\n";
const skip = storeMissing("prometheus");
after(stopServers);
after(stopStores);

test("Prometheus has every value once after it was killed, and what it refused it had already", {
  skip,
}, async () => {
  const store = await startStore("prometheus");
  const run = new KilledRun(store);
  run.append();
  await run.startForward();
  for (let kill = 0; kill < 2; kill++) {
    await run.untilTaken();
    run.append();
    await store.kill();
    run.append();
    await store.start();
  }
  await run.stopForward();
  await run.forwardRest();
  assert.equal(await run.readBack(), run.values);
});

test("Prometheus with a window for late samples refuses none, and has every value once after both were killed", {
  skip,
}, async () => {
  const store = await startStore("prometheus", WINDOW);
  const run = new KilledRun(store);
  run.append();
  await run.startForward();
  await run.untilTaken();
  run.append();
  await Promise.all([run.killForward(), store.kill()]);
  await Promise.all([run.startForward(), store.start()]);
  run.append();
  await run.untilTaken();
  run.append();
  await run.killForward();
  await run.startForward();
  await run.stopForward();
  await run.forwardRest();
  assert.equal(await run.readBack(), run.values);
  assert.deepEqual(run.letters(), []);
});

// VictoriaMetrics takes samples into its memory and is killed with them: all of them are there in the end.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { stopServers } from "../support/server-process.ts";
import { startStore, stopStores, storeMissing } from "../support/store-process.ts";
import { KilledRun } from "./killed-run.ts";

const skip = storeMissing("victoria-metrics");
after(stopServers);
after(stopStores);

test("VictoriaMetrics has every value after it and the forwarder were killed", { skip }, async () => {
  const store = await startStore("victoria-metrics");
  const run = new KilledRun(store);
  run.append();
  await run.startForward();
  await run.untilTaken();
  await store.kill();
  run.append();
  await store.start();
  await run.untilTaken();
  run.append();
  await Promise.all([run.killForward(), store.kill()]);
  await Promise.all([run.startForward(), store.start()]);
  run.append();
  await run.untilTaken();
  await store.kill();
  await store.start();
  run.append();
  await run.untilTaken();
  await run.readBack();
  await run.stopForward();
  assert.deepEqual(run.letters(), []);
});

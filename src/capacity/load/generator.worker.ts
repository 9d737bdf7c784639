// A generator thread: prepares, says so, sends from the moment it is told, and hands over what it counted.

import { parentPort, workerData } from "node:worker_threads";
import { loadConnect } from "../../net/connect.ts";
import type { FromGenerator, GeneratorSettings, ToGenerator } from "./generator-messages.ts";
import { LoadRun } from "./load-run.ts";

const settings = workerData as GeneratorSettings;
const port = parentPort!;
const say = (message: FromGenerator): void => port.postMessage(message);

const run = new LoadRun({
  ...settings,
  connect: await loadConnect(),
  onSlots: (slots) => say({ kind: "slots", slots }),
});
port.on("message", (message: ToGenerator) => {
  if (message.kind === "start") startInBackground(message.startMs);
  else run.endSending(run.nowMs());
});
await run.prepare();
say({ kind: "ready" });

async function startInBackground(startMs: number): Promise<void> {
  say({ kind: "done", tally: await run.start(startMs) });
}

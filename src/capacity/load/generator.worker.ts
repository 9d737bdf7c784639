// A generator thread: one plan after another it prepares, says so, sends from the moment it is told, and hands over what
// it counted.

import { parentPort } from "node:worker_threads";
import { loadConnect } from "../../net/connect.ts";
import type { FromGenerator, GeneratorSettings, ToGenerator } from "./generator-messages.ts";
import { LoadRun } from "./load-run.ts";

const port = parentPort!;
const say = (message: FromGenerator): void => port.postMessage(message);
const connect = await loadConnect();
let run: LoadRun | null = null;

port.on("message", (message: ToGenerator) => {
  if (message.kind === "prepare") prepareInBackground(message.settings);
  else if (message.kind === "start") startInBackground(message.startMs);
  else run?.endSending(run.nowMs());
});

async function prepareInBackground(settings: GeneratorSettings): Promise<void> {
  run = new LoadRun({ ...settings, connect, onSlots: (slots) => say({ kind: "slots", slots }) });
  await run.prepare();
  say({ kind: "ready" });
}

async function startInBackground(startMs: number): Promise<void> {
  say({ kind: "done", tally: await run!.start(startMs) });
}

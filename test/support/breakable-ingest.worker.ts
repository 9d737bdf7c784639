// The ingest thread, and one listener more that breaks it on order: see thread-faults.ts.

import { parentPort } from "node:worker_threads";

parentPort!.on("message", (message: { kind: string; fault?: string }) => {
  if (message.kind !== "test-fault") return;
  // Not from within the message's own turn, where an error might be the message's.
  setImmediate(() => breakThis(message.fault!));
});

function breakThis(fault: string): void {
  const kept: unknown[] = [];
  if (fault === "throw") throw new Error("the test broke this thread");
  while (fault === "spin") kept.length = 0;
  while (fault === "oom") kept.push(new Array(10_000).fill(kept.length + 0.5));
}

await import("../../src/server/ingest.worker.ts");

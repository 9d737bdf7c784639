// For snapshot.test.ts alone: an ingest thread that does nothing but settle and refuse as fast as it can, so that the
// test's reader meets writes in every stage. Says through the flag when it has begun, and stops by the flag.

import { workerData } from "node:worker_threads";
import { REFUSALS } from "../errors.ts";
import type { TelemetryMemory } from "./counters.layout.ts";
import { ThreadCounters } from "./thread-counters.ts";

const { shared, thread, stop } = workerData as { shared: TelemetryMemory; thread: number; stop: Int32Array };
const counters = new ThreadCounters(shared, thread);
// From here on both halves of a count's 8 bytes change with every batch.
counters.settledStored(2 ** 21, 3, 1_000);
for (let round = 1; stop[0] === 0 && round < 1e9; round++) {
  counters.settledStored((round & 7) + 1, 3, 1_000);
  counters.rejected(round % REFUSALS.length);
  // Now and then a pause, or no reader would ever find a moment between two writes.
  if ((round & 15) === 0) for (let spin = 0; spin < 2_000 && stop[0] === 0; spin++);
}

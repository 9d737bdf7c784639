// What counting costs: a settled commit and a refusal (both under the lock), a plain counter, the choice of a sample.

import { allocateTelemetry, FIELD } from "./counters.layout.ts";
import { ThreadCounters } from "./thread-counters.ts";

export function run(small: boolean): void {
  const rounds = small ? 1 : 5;
  const calls = small ? 1_000 : 2_000_000;
  const counters = new ThreadCounters(allocateTelemetry(1), 0);
  const best = [Infinity, Infinity, Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    let start = performance.now();
    for (let call = 0; call < calls; call++) counters.settledStored(4, 12, 1_200);
    best[0] = Math.min(best[0]!, performance.now() - start);
    start = performance.now();
    for (let call = 0; call < calls; call++) counters.rejected(call & 15);
    best[1] = Math.min(best[1]!, performance.now() - start);
    start = performance.now();
    for (let call = 0; call < calls; call++) counters.add(FIELD.requests, 1);
    best[2] = Math.min(best[2]!, performance.now() - start);
    start = performance.now();
    for (let call = 0; call < calls; call++) counters.sample();
    best[3] = Math.min(best[3]!, performance.now() - start);
  }
  const [settled, rejected, add, sample] = best.map((ms) => ((ms * 1e6) / calls).toFixed(1));
  console.error(
    `counters: settledStored ${settled} ns, rejected ${rejected} ns, add ${add} ns, sample ${sample} ns`,
  );
}

if (import.meta.main) run(false);

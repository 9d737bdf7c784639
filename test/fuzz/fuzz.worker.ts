// The thread that fuzzes, so that the one beside it can tell when an input never ends. Says how far it is after each block.

import { parentPort, workerData } from "node:worker_threads";
import { emptyTally, fuzz } from "./fuzz-target.ts";
import type { Block, FuzzOrder } from "./fuzz-thread.ts";
import { TARGETS } from "./targets.ts";

const { target, seed, inputs, blockInputs } = workerData as FuzzOrder;
const found = TARGETS.find(({ name }) => name === target)!;
const tally = emptyTally();
for (let from = 0; from < inputs; from += blockInputs) {
  const to = Math.min(from + blockInputs, inputs);
  parentPort!.postMessage({ from, to, tally: null } satisfies Block);
  fuzz(found, seed, from, to, tally);
  if (tally.wrong.length + tally.slow.length > 100) break;
}
parentPort!.postMessage({ from: inputs, to: inputs, tally } satisfies Block);

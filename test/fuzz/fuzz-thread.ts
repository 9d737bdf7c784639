// Fuzzes on a thread of its own and watches it: a block of inputs that takes longer than it ever could holds one that
// never ends, which the thread itself could not tell.

import { Worker } from "node:worker_threads";
import { emptyTally, type FuzzTally } from "./fuzz-target.ts";

export interface FuzzOrder {
  /** The target's name. */
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
  readonly blockInputs: number;
}

/** What the thread says: the block that it begins, and in the end its tally. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly tally: FuzzTally | null;
}

const BLOCK_INPUTS = 5_000;
/** A block takes a few seconds on a busy machine. */
const BLOCK_MS_MAX = 180_000;
const PROGRESS_EVERY = 20;

export function fuzzOnThread(target: string, seed: number, inputs: number): Promise<FuzzTally> {
  const order: FuzzOrder = { target, seed, inputs, blockInputs: BLOCK_INPUTS };
  const worker = new Worker(new URL("./fuzz.worker.ts", import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => {
    let block: Block = { from: 0, to: 0, tally: null };
    const timer = setTimeout(() => {
      void worker.terminate();
      const wrong = [`${target}, seed ${seed}: one of the inputs ${block.from} to ${block.to} never ends`];
      resolve({ ...emptyTally(), inputs: block.from, wrong });
    }, BLOCK_MS_MAX);
    worker.on("message", (said: Block) => {
      block = said;
      timer.refresh();
      if ((said.from / BLOCK_INPUTS) % PROGRESS_EVERY === 0)
        console.error(`${target}: ${said.from} of ${inputs} inputs`);
      if (said.tally === null) return;
      clearTimeout(timer);
      void worker.terminate();
      resolve(said.tally);
    });
    worker.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

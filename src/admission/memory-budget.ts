// How many bytes of requests one thread may hold at once, so that many large bodies are a refusal, not a crash.
//
// Taken when a body's length is known (or as its chunks come), given back when the request is answered or its
// connection ends: on the path of every body. One a thread: --memory-max is divided among the threads, since no request crosses one.
// Invariant: 0 ≤ bytesUsed ≤ bytesMax. Whoever took gives back exactly what it took, once; giving too much is our bug.

import { assert } from "../base/assert.ts";

export class MemoryBudget {
  readonly bytesMax: number;
  #bytesUsed = 0;

  constructor(bytesMax: number) {
    assert(
      Number.isSafeInteger(bytesMax) && bytesMax > 0,
      "a memory budget is a whole number of bytes above 0",
    );
    this.bytesMax = bytesMax;
  }

  get bytesUsed(): number {
    return this.#bytesUsed;
  }

  /** False: not now, nothing is taken. More than bytesMax at once is never had. */
  tryTake(bytes: number): boolean {
    assert(bytes >= 0, "bytes are taken, not given, by tryTake");
    if (bytes > this.bytesMax - this.#bytesUsed) return false;
    this.#bytesUsed += bytes;
    return true;
  }

  give(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#bytesUsed, "no more memory is given back than was taken");
    this.#bytesUsed -= bytes;
  }
}

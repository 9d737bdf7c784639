// Batches that wait to be filled again, shared by all connections: which of them needs more changes with the series that come.
// How many there are is bounded by the lines that may be under way.

import { RequestBatch } from "./request-batch.ts";

export class BatchPool {
  private readonly samplesMax: number;
  private readonly spare: RequestBatch[] = [];

  constructor(samplesMax: number) {
    this.samplesMax = samplesMax;
  }

  take(): RequestBatch {
    return this.spare.pop() ?? new RequestBatch(this.samplesMax);
  }

  /** Nobody holds it any more. */
  giveBack(batch: RequestBatch): void {
    batch.clear();
    this.spare.push(batch);
  }
}

// A nap shorter than any timer can be: the thread waits on a word of its own that nobody ever changes.

/** Linux wakes a sleeper up to this much late (timer slack), milliseconds. */
export const NAP_SLACK_MS = 0.06;

export class Nap {
  private readonly word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  /** Blocks the thread, its sockets too. */
  take(ms: number): void {
    Atomics.wait(this.word, 0, 0, ms);
  }
}

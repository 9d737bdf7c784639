// The shared count of open connections: one word a thread, so that --connections-max is one cap for the server whichever
// threads the kernel deals connections to, and so that a dead thread's share can be forgotten as a whole.
//
//   word  0          1          …  threads-1
//        | thread 0 | thread 1 | …            open connections of that thread; written by it alone
//
// A thread adds its own first and then sums: two threads that race for the last place may both be refused, but the cap is
// never exceeded.

export function allocateConnectionSlots(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT);
}

export class ConnectionSlots {
  private readonly words: Int32Array;
  private readonly thread: number;
  private readonly connectionsMax: number;

  /** Made by the thread when it starts: it has no connections then, whatever its dead predecessor had. */
  constructor(shared: SharedArrayBuffer, thread: number, connectionsMax: number) {
    this.words = new Int32Array(shared);
    this.thread = thread;
    this.connectionsMax = connectionsMax;
    Atomics.store(this.words, thread, 0);
  }

  /** False, with nothing taken, where the server is at its cap. */
  tryTake(): boolean {
    Atomics.add(this.words, this.thread, 1);
    let open = 0;
    for (let thread = 0; thread < this.words.length; thread++) open += Atomics.load(this.words, thread);
    if (open <= this.connectionsMax) return true;
    this.give();
    return false;
  }

  give(): void {
    Atomics.sub(this.words, this.thread, 1);
  }
}

// What a lane's disk has lately shown of itself: how long a commit of so many bytes takes, and at what rate commits drain.
//
//     expected time = fixed + bytes ÷ rate            fixed: where the line through the last commits begins
//                                                     rate:  all that the last large ones wrote ÷ all the time they took
//
// The fixed part is learnt while commits differ in size, as they do when a load comes and goes, and kept while they do
// not: from commits of one size nobody can tell it. A disk with much of it whose commits were kept short would be busy
// with little else: at 20 ms and 40 MB/s a queue that took all time for bytes served 0.6 of what the disk can.
// Small commits tell next to nothing of the rate (300 bytes in 0.1 ms look like 3 MB/s on any disk), so they are no more
// than a lower bound of it. Where no large commit has been seen of late the rate is unknown and everything is expected
// to be quick. The rate is a mean over some RATE_MEMORY_MS of writing, not a minimum or the newest: a disk behind a
// token bucket writes in bursts with pauses of 100 ms, and one hiccup of a fast disk must not make it a slow one (300 ms
// without a byte leave a third of its rate, which is plenty).
// HOT: expectedMs runs once a request while something is queued. One thread.

/** From this size on a commit tells the rate, bytes: 64 MB/s need a millisecond for it, ten times the fixed part. */
export const LARGE_BYTES_MIN = 64 * 1024;
/** Time spent writing large commits over which the rate is a mean, milliseconds: some pauses of a token bucket. */
const RATE_MEMORY_MS = 250;
/** After so long without a large commit what they told is forgotten, milliseconds. */
const RATE_FORGET_MS = 2_000;
/** Weight of the newest commit in what is known of sizes and times together. */
const LINE_WEIGHT = 1 / 16;
/** Sizes must differ by this part of their mean, as a standard deviation, to tell the fixed part. */
const SPREAD_MIN = 0.15;
/** Small commits of which the fastest is kept. */
const SMALL_KEPT = 8;
/** Weight of the newest commit in the drain rate, which then follows a change within some ten commits. */
const SMOOTHING = 0.1;

export class CommitTime {
  /** Of all commits, smoothed: what a refused client is told to wait by. 0 until the first. */
  drainBytesPerS = 0;
  /** What a commit takes however small it is, milliseconds. */
  fixedMs = 0;
  private rateBytesPerMs = Number.POSITIVE_INFINITY;
  private largeBytes = 0;
  private largeMs = 0;
  private largeAtMs = Number.NEGATIVE_INFINITY;
  private bytesMean = 0;
  private msMean = 0;
  private bytesVariance = 0;
  private covariance = 0;
  private readonly smallBytesPerMs = new Float64Array(SMALL_KEPT);
  private smallCount = 0;

  /** A commit of `bytes` has taken `ms` and ended at `nowMs`. */
  add(ms: number, bytes: number, nowMs: number): void {
    if (ms <= 0) return;
    this.drain((bytes / ms) * 1000);
    this.addToLine(ms, bytes);
    if (nowMs - this.largeAtMs > RATE_FORGET_MS) this.forget();
    if (bytes >= LARGE_BYTES_MIN) this.addLarge(ms, bytes, nowMs);
    else this.addSmall(ms, bytes);
    let bytesPerMs = this.largeMs > 0 ? this.largeBytes / this.largeMs : Number.POSITIVE_INFINITY;
    for (let at = 0; at < SMALL_KEPT; at++)
      if (this.smallBytesPerMs[at]! > bytesPerMs) bytesPerMs = this.smallBytesPerMs[at]!;
    this.rateBytesPerMs = bytesPerMs;
  }

  /** How long so many bytes are expected to take, milliseconds: nothing for none, and nothing where it is not known. */
  expectedMs(bytes: number): number {
    if (bytes === 0 || this.rateBytesPerMs === Number.POSITIVE_INFINITY) return 0;
    return this.fixedMs + bytes / this.rateBytesPerMs;
  }

  private drain(bytesPerS: number): void {
    if (this.drainBytesPerS === 0) this.drainBytesPerS = bytesPerS;
    else this.drainBytesPerS += (bytesPerS - this.drainBytesPerS) * SMOOTHING;
  }

  private forget(): void {
    this.largeBytes = 0;
    this.largeMs = 0;
  }

  private addLarge(ms: number, bytes: number, nowMs: number): void {
    const kept = Math.exp(-ms / RATE_MEMORY_MS);
    this.largeBytes = this.largeBytes * kept + bytes;
    this.largeMs = this.largeMs * kept + Math.max(ms - this.fixedMs, ms / 2);
    this.largeAtMs = nowMs;
  }

  private addSmall(ms: number, bytes: number): void {
    this.smallBytesPerMs[this.smallCount++ % SMALL_KEPT] = bytes / ms;
  }

  /** The straight line through the last commits, by moments that forget. */
  private addToLine(ms: number, bytes: number): void {
    const isFirst = this.bytesMean === 0;
    const bytesOff = isFirst ? 0 : bytes - this.bytesMean;
    const msOff = isFirst ? 0 : ms - this.msMean;
    this.bytesMean += isFirst ? bytes : bytesOff * LINE_WEIGHT;
    this.msMean += isFirst ? ms : msOff * LINE_WEIGHT;
    this.bytesVariance = (1 - LINE_WEIGHT) * (this.bytesVariance + LINE_WEIGHT * bytesOff * bytesOff);
    this.covariance = (1 - LINE_WEIGHT) * (this.covariance + LINE_WEIGHT * bytesOff * msOff);
    if (this.bytesVariance < (SPREAD_MIN * this.bytesMean) ** 2) return;
    const slope = Math.max(0, this.covariance / this.bytesVariance);
    this.fixedMs = Math.max(0, this.msMean - slope * this.bytesMean);
  }
}

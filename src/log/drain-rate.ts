// How fast a lane's commits have lately reached their file: what a refused client is told to wait by.

/** Weight of the newest commit: the rate follows a change within some ten commits. */
const SMOOTHING = 0.1;

export class DrainRate {
  /** 0 until the first commit. */
  bytesPerS = 0;

  add(ms: number, bytes: number): void {
    if (ms <= 0) return;
    const rate = (bytes / ms) * 1000;
    this.bytesPerS = this.bytesPerS === 0 ? rate : this.bytesPerS + (rate - this.bytesPerS) * SMOOTHING;
  }
}

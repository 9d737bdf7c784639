// Random numbers that a seed repeats: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). Nobody's security hangs on them.

export class Random {
  private state: number;

  constructor(seed: number) {
    // Zero is the one state that never changes; seeds that lie close together are spread apart first.
    this.state = Math.imul(seed | 0, 0x9e37_79b1) ^ 0x85eb_ca6b || 1;
    for (let turn = 0; turn < 8; turn++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    let state = this.state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state;
    return (state >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

// HOT: The answers of one settled commit to one connection, gathered so that they leave in one write. Nearly always one.

export class GatheredAnswers {
  count = 0;
  private first: Uint8Array | null = null;
  private all: Uint8Array[] | null = null;

  /** True for the first since take(), so that the caller knows whom to flush. */
  add(bytes: Uint8Array): boolean {
    this.count++;
    if (this.first === null) {
      this.first = bytes;
      return true;
    }
    if (this.all === null) this.all = [this.first];
    this.all.push(bytes);
    return false;
  }

  /** All of them, in the order they were added. There must be one. */
  take(): Uint8Array {
    const bytes = this.all === null ? this.first! : Buffer.concat(this.all);
    this.first = null;
    this.all = null;
    this.count = 0;
    return bytes;
  }
}

// HOT: Collects, or reads past, a body that does not lie whole in one read: by Content-Length or by chunks.
// Made for one request and dropped after it. Its buffer is lent by the thread's pool and charged to the memory
// budget as it grows with what has really arrived: a length that is only claimed costs nothing.

import { REFUSAL, type Refusal } from "../errors.ts";
import type { BodyPool } from "./body-pool.ts";
import { CHUNKED_DONE, CHUNKED_MORE, CHUNKED_TOO_LARGE, ChunkedBody } from "./chunked-body.ts";
import type { Budget } from "./connection-shared.ts";

export const BODY_MORE = 0;
export const BODY_DONE = 1;
export const BODY_FAULT = 2;

/** Where the reader gets its memory. */
interface BodyMemory {
  readonly pool: BodyPool;
  readonly budget: Budget;
  readonly bodyBytesMax: number;
}

export class BodyReader {
  /** The body so far is buffer[0, bytes); null while nothing is collected. The reader's until release(). */
  buffer: Uint8Array | null = null;
  bytes = 0;
  /** Where read() stopped in its input once the body was done. */
  consumedEnd = 0;
  fault: Refusal = REFUSAL.bad_request;
  faultDetail = "";

  private readonly contentLength: number;
  private readonly isCollecting: boolean;
  private readonly chunked: ChunkedBody | null;
  private bytesSkipped = 0;

  /** contentLength -1: chunked. */
  constructor(contentLength: number, isCollecting: boolean) {
    this.contentLength = contentLength;
    this.isCollecting = isCollecting;
    this.chunked = contentLength < 0 ? new ChunkedBody() : null;
  }

  read(bytes: Uint8Array, start: number, end: number, memory: BodyMemory): number {
    return this.chunked === null
      ? this.readLength(bytes, start, end, memory)
      : this.readChunks(this.chunked, bytes, start, end, memory);
  }

  release(memory: BodyMemory): void {
    if (this.buffer === null) return;
    memory.budget.give(this.buffer.length);
    memory.pool.giveBack(this.buffer);
    this.buffer = null;
  }

  private readLength(bytes: Uint8Array, start: number, end: number, memory: BodyMemory): number {
    const seen = this.isCollecting ? this.bytes : this.bytesSkipped;
    const taken = Math.min(end - start, this.contentLength - seen);
    this.consumedEnd = start + taken;
    if (!this.isCollecting) {
      this.bytesSkipped += taken;
      if (this.bytesSkipped > memory.bodyBytesMax) return this.refuse(REFUSAL.length);
      return this.bytesSkipped === this.contentLength ? BODY_DONE : BODY_MORE;
    }
    // A body that has shown a quarter of itself gets its whole room at once; until then room grows with it.
    const wanted = Math.min(this.contentLength, (this.bytes + taken) * 4);
    if (!this.grow(this.bytes + taken, wanted, memory)) return this.refuse(REFUSAL.memory);
    this.buffer!.set(bytes.subarray(start, start + taken), this.bytes);
    this.bytes += taken;
    return this.bytes === this.contentLength ? BODY_DONE : BODY_MORE;
  }

  private readChunks(
    chunked: ChunkedBody,
    bytes: Uint8Array,
    start: number,
    end: number,
    memory: BodyMemory,
  ): number {
    const allowed = memory.bodyBytesMax;
    if (this.isCollecting) {
      // Decoding never makes more bytes than it reads.
      const needed = Math.min(this.bytes + (end - start), allowed);
      if (!this.grow(needed, Math.min(needed * 2, allowed), memory)) return this.refuse(REFUSAL.memory);
    }
    const status = chunked.decode(
      bytes,
      start,
      end,
      this.isCollecting ? this.buffer : null,
      this.bytes,
      allowed,
    );
    this.bytes = chunked.outEnd;
    this.consumedEnd = chunked.consumedEnd;
    if (status === CHUNKED_MORE) return BODY_MORE;
    if (status === CHUNKED_DONE) return BODY_DONE;
    if (status === CHUNKED_TOO_LARGE) return this.refuse(REFUSAL.length);
    this.faultDetail = chunked.faultDetail;
    return this.refuse(REFUSAL.bad_request);
  }

  private refuse(refusal: Refusal): number {
    this.fault = refusal;
    return BODY_FAULT;
  }

  /** Makes room for `needed` bytes, `wanted` if it can; false when the budget has no room. */
  private grow(needed: number, wanted: number, memory: BodyMemory): boolean {
    const old = this.buffer;
    if (old !== null && old.length >= needed) return true;
    const size = memory.pool.sizeFor(Math.max(needed, wanted, 1));
    if (!memory.budget.tryTake(size)) return false;
    const buffer = memory.pool.lend(size);
    if (old !== null) {
      buffer.set(old.subarray(0, this.bytes));
      memory.budget.give(old.length);
      memory.pool.giveBack(old);
    }
    this.buffer = buffer;
    return true;
  }
}

// The bytes one decode works on: the body it reads, the lines it writes, and the parts every line of the batch shares.
// All metric readers (tight-metric.ts, plain-metric.ts, any-metric.ts) work on this one object, on the ingest thread that owns it.
//
// Views of our own are laid over the caller's arrays, so that the hot loops always see the same two classes whatever
// came in (a Buffer, a Uint8Array): on Node that keeps them monomorphic. A view costs more than a small body, so small
// bodies are copied into `small` instead, whose views are made once. They must not outlive the decode call.
//
// HOT: begin() runs once a batch.

/** Bodies up to this many bytes are copied, as two new views cost more than the copy. */
const SMALL_BYTES_MAX = 4096;
/** How far past a checked position plain-parts.ts reads without looking: its longest number and fixed texts. */
export const LOOKAHEAD_BYTES = 512;

const TAIL_START = new TextEncoder().encode(',"client":"');
/** TIMESTAMP_MS_MAX in decimal, and what copyRun() reads past it. */
const DIGITS_BYTES = 16 + 3;

export class BatchBuffers {
  input: Uint8Array<ArrayBufferLike>;
  inputView: DataView;
  /** Just past the body's last `}`, in `input`. */
  inputEnd = 0;
  /** The last position in `input` from which LOOKAHEAD_BYTES may be read. */
  inputGuard = 0;

  output: Uint8Array<ArrayBufferLike>;
  outputView: DataView;
  /** Where the next line goes, in `output`. */
  outputEnd = 0;

  /** `,"client":"…"}\n`, the end of every line; readable in whole words. */
  tail = new Uint8Array(128);
  tailView: DataView = new DataView(this.tail.buffer);
  tailBytes = 0;

  /** The time of receipt in decimal, the timestamp of a metric that names none. */
  readonly receivedDigits = new Uint8Array(DIGITS_BYTES);
  readonly receivedView = new DataView(this.receivedDigits.buffer);
  receivedDigitsCount = 0;
  receivedAtMs = -1;

  /** The tags object that plain-tags.ts read last in this body, and how often looking for it again still pays. */
  tagsStart = 0;
  tagsBytes = 0;
  tagsPatience = 0;

  /** The least and greatest timestamp that metrics named, and whether one named none. */
  timestampMsFirst = 0;
  timestampMsLast = 0;
  isReceivedAtUsed = false;

  readonly #small = new Uint8Array(SMALL_BYTES_MAX + LOOKAHEAD_BYTES);
  readonly #smallView = new DataView(this.#small.buffer);
  #outputGiven: Uint8Array | undefined;

  constructor() {
    this.input = this.#small;
    this.inputView = this.#smallView;
    this.output = new Uint8Array(0);
    this.outputView = new DataView(this.output.buffer);
  }

  /** Takes up a body and the place for its lines. Returns the body's first position in `input`; its last is inputEnd - 1. */
  begin(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outStart: number): number {
    if (out !== this.#outputGiven) {
      this.#outputGiven = out;
      this.output = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
      this.outputView = new DataView(out.buffer, out.byteOffset, out.byteLength);
    }
    this.outputEnd = outStart;
    this.tagsBytes = 0;
    this.tagsPatience = 4;
    this.timestampMsFirst = Number.POSITIVE_INFINITY;
    this.timestampMsLast = -1;
    this.isReceivedAtUsed = false;
    const length = end - start;
    if (length <= SMALL_BYTES_MAX) {
      Buffer.prototype.copy.call(bytes, this.#small, 0, start, end);
      this.input = this.#small;
      this.inputView = this.#smallView;
      this.inputEnd = length;
      this.inputGuard = SMALL_BYTES_MAX;
      return 0;
    }
    this.input = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.inputView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.inputEnd = end;
    this.inputGuard = bytes.byteLength - LOOKAHEAD_BYTES;
    return start;
  }

  /** Sets what all lines of the batch share. */
  setShared(receivedAtMs: number, clientJson: Uint8Array): void {
    if (receivedAtMs !== this.receivedAtMs) this.#setReceivedAt(receivedAtMs);
    const tailBytes = TAIL_START.length + clientJson.length + 3;
    if (tailBytes + 4 > this.tail.length) {
      this.tail = new Uint8Array(tailBytes * 2);
      this.tailView = new DataView(this.tail.buffer);
    }
    const tail = this.tail;
    let to = 0;
    for (let from = 0; from < TAIL_START.length; from++) tail[to++] = TAIL_START[from]!;
    for (let from = 0; from < clientJson.length; from++) tail[to++] = clientJson[from]!;
    tail[to] = 0x22; // "
    tail[to + 1] = 0x7d; // }
    tail[to + 2] = 0x0a;
    this.tailBytes = tailBytes;
  }

  #setReceivedAt(receivedAtMs: number): void {
    this.receivedAtMs = receivedAtMs;
    const text = String(receivedAtMs);
    this.receivedDigitsCount = text.length;
    for (let index = 0; index < text.length; index++) this.receivedDigits[index] = text.charCodeAt(index);
  }
}

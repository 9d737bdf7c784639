// The chunked transfer coding, undone as its bytes come (RFC 9112 7.1): strict, and never ahead of what has arrived.
// HOT: a byte of framing is one step of the machine below; the bytes of a chunk are copied in runs. No strings.
// One for each request whose body is chunked; on that connection's thread.
//
//     ┌─────────────────── next chunk ──────────────────────┐
//   SIZE ─▶ (extensions) ─▶ SIZE_LF ─▶ DATA ─▶ DATA_CR ─▶ DATA_LF
//                              └─ size 0 ─▶ TRAILER lines ─▶ END_LF ─▶ done
//
// Must hold: the body and the verdict depend on the bytes alone, never on how they were cut into calls; a claimed
// size moves nothing but a counter; body bytes never pass outMax. Whitespace in a chunk-size line is refused, although
// RFC 9112 7.1.1 lets old senders put some beside extensions: no sender of ours does, and readers differ on it.

import { CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX } from "../limits.ts";
import {
  BACKSLASH,
  CLASS,
  COLON,
  CR,
  EQUALS,
  FIELD,
  HEX,
  hexValue,
  LF,
  QUOTE,
  QUOTED,
  SEMICOLON,
  TOKEN,
} from "./character-class.ts";

/** All bytes given were read; the body goes on. */
export const CHUNKED_MORE = 0;
/** The body is whole; consumedEnd is the next request's first byte. */
export const CHUNKED_DONE = 1;
/** `faultDetail` says what is wrong; no byte after it can be trusted. */
export const CHUNKED_FAULT = 2;
/** The body would pass outMax. */
export const CHUNKED_TOO_LARGE = 3;

const STATE_SIZE = 0;
const STATE_EXTENSION_NAME_FIRST = 1;
const STATE_EXTENSION_NAME = 2;
const STATE_EXTENSION_VALUE_FIRST = 3;
const STATE_EXTENSION_TOKEN = 4;
const STATE_EXTENSION_QUOTED = 5;
const STATE_EXTENSION_ESCAPE = 6;
const STATE_EXTENSION_UNQUOTED = 7;
const STATE_SIZE_LF = 8;
const STATE_DATA = 9;
const STATE_DATA_CR = 10;
const STATE_DATA_LF = 11;
const STATE_TRAILER_FIRST = 12;
const STATE_TRAILER_NAME = 13;
const STATE_TRAILER_VALUE = 14;
const STATE_TRAILER_LF = 15;
const STATE_END_LF = 16;

/** 8 hex digits: 4 GiB, far past any body. */
const SIZE_DIGITS_MAX = 8;
/** Runs shorter than this are copied by a loop: a call of copy costs more. */
const COPY_BYTES_MIN = 64;

const SIZE_BAD = "a chunk size that is not 1 to 8 hex digits";
const EXTENSION_BAD = "a chunk extension that is not ;name or ;name=value";
const LINE_TOO_LONG = `a chunk-size line longer than ${CHUNK_LINE_BYTES_MAX} bytes`;
const TRAILER_TOO_LONG = `a trailer section longer than ${TRAILER_BYTES_MAX} bytes`;

const copyBytes = Buffer.prototype.copy;

export class ChunkedBody {
  /** Where decode() stopped in its input: after its last byte read, or at the byte that is wrong. */
  consumedEnd = 0;
  /** The index in `out` after the last body byte: the next call's outStart. */
  outEnd = 0;
  faultDetail = "";

  private state = STATE_SIZE;
  private size = 0;
  private sizeDigits = 0;
  /** Bytes of the current chunk-size line, then of the trailer section. */
  private lineBytes = 0;

  /** Ready for another body. */
  reset(): void {
    this.state = STATE_SIZE;
    this.size = 0;
    this.sizeDigits = 0;
    this.lineBytes = 0;
    this.faultDetail = "";
  }

  /**
   * Reads bytes[start, end) and puts the body's bytes into out[outStart, outMax); nowhere where out is null, but
   * counts and bounds them all the same. `out` needs room for end - start bytes from outStart, or up to outMax if that
   * is less; it may be `bytes` itself with outStart <= start. After CHUNKED_MORE, call again with the bytes that
   * follow and the last outEnd. Keeps neither buffer.
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array | null,
    outStart: number,
    outMax: number,
  ): number {
    let at = start;
    this.outEnd = outStart;
    while (at < end) {
      if (this.state === STATE_DATA) {
        const count = Math.min(this.size, end - at);
        if (out !== null) copyRun(bytes, at, count, out, this.outEnd);
        this.outEnd += count;
        this.size -= count;
        at += count;
        if (this.size === 0) this.state = STATE_DATA_CR;
        continue;
      }
      const outcome = this.step(bytes[at], outMax);
      if (outcome === CHUNKED_MORE) {
        at++;
        continue;
      }
      this.consumedEnd = outcome === CHUNKED_DONE ? at + 1 : at;
      return outcome;
    }
    this.consumedEnd = at;
    return CHUNKED_MORE;
  }

  /** One byte of framing. */
  private step(byte: number, outMax: number): number {
    const state = this.state;
    if (state < STATE_DATA) return this.stepSizeLine(state, byte, outMax);
    if (state >= STATE_TRAILER_FIRST) return this.stepTrailer(state, byte);
    if (state === STATE_DATA_CR) {
      if (byte !== CR) return this.wrong("a chunk that its CRLF does not follow");
      this.state = STATE_DATA_LF;
      return CHUNKED_MORE;
    }
    if (byte !== LF) return this.wrong("a chunk that its CRLF does not follow");
    this.state = STATE_SIZE;
    this.sizeDigits = 0;
    this.lineBytes = 0;
    return CHUNKED_MORE;
  }

  private stepSizeLine(state: number, byte: number, outMax: number): number {
    if (++this.lineBytes > CHUNK_LINE_BYTES_MAX) return this.wrong(LINE_TOO_LONG);
    if (state === STATE_SIZE) {
      if ((CLASS[byte] & HEX) !== 0) {
        if (this.sizeDigits === SIZE_DIGITS_MAX) return this.wrong(SIZE_BAD);
        this.size = this.size * 16 + hexValue(byte);
        this.sizeDigits++;
        return CHUNKED_MORE;
      }
      if (this.sizeDigits === 0) return this.wrong(SIZE_BAD);
      if (byte === CR) this.state = STATE_SIZE_LF;
      else if (byte === SEMICOLON) this.state = STATE_EXTENSION_NAME_FIRST;
      else return this.wrong(SIZE_BAD);
      return CHUNKED_MORE;
    }
    if (state !== STATE_SIZE_LF) return this.stepExtension(state, byte);
    if (byte !== LF) return this.wrong("a chunk-size line that does not end in CRLF");
    if (this.size > outMax - this.outEnd) return CHUNKED_TOO_LARGE;
    this.state = this.size === 0 ? STATE_TRAILER_FIRST : STATE_DATA;
    this.lineBytes = 0;
    return CHUNKED_MORE;
  }

  /** *( ";" token [ "=" ( token / quoted-string ) ] ) up to the CR. */
  private stepExtension(state: number, byte: number): number {
    const classes = CLASS[byte];
    switch (state) {
      case STATE_EXTENSION_NAME_FIRST:
        if ((classes & TOKEN) === 0) return this.wrong(EXTENSION_BAD);
        this.state = STATE_EXTENSION_NAME;
        return CHUNKED_MORE;
      case STATE_EXTENSION_NAME:
        if ((classes & TOKEN) !== 0) return CHUNKED_MORE;
        if (byte !== EQUALS) return this.endExtension(byte);
        this.state = STATE_EXTENSION_VALUE_FIRST;
        return CHUNKED_MORE;
      case STATE_EXTENSION_VALUE_FIRST:
        if ((classes & TOKEN) !== 0) this.state = STATE_EXTENSION_TOKEN;
        else if (byte === QUOTE) this.state = STATE_EXTENSION_QUOTED;
        else return this.wrong(EXTENSION_BAD);
        return CHUNKED_MORE;
      case STATE_EXTENSION_TOKEN:
        return (classes & TOKEN) !== 0 ? CHUNKED_MORE : this.endExtension(byte);
      case STATE_EXTENSION_QUOTED:
        if ((classes & QUOTED) !== 0) return CHUNKED_MORE;
        if (byte === QUOTE) this.state = STATE_EXTENSION_UNQUOTED;
        else if (byte === BACKSLASH) this.state = STATE_EXTENSION_ESCAPE;
        else return this.wrong(EXTENSION_BAD);
        return CHUNKED_MORE;
      case STATE_EXTENSION_ESCAPE:
        if ((classes & FIELD) === 0) return this.wrong(EXTENSION_BAD);
        this.state = STATE_EXTENSION_QUOTED;
        return CHUNKED_MORE;
      default:
        return this.endExtension(byte);
    }
  }

  private endExtension(byte: number): number {
    if (byte === CR) this.state = STATE_SIZE_LF;
    else if (byte === SEMICOLON) this.state = STATE_EXTENSION_NAME_FIRST;
    else return this.wrong(EXTENSION_BAD);
    return CHUNKED_MORE;
  }

  /** Fields as in a head, read past and ignored: nothing in a trailer changes what the head has settled. */
  private stepTrailer(state: number, byte: number): number {
    if (++this.lineBytes > TRAILER_BYTES_MAX) return this.wrong(TRAILER_TOO_LONG);
    switch (state) {
      case STATE_TRAILER_FIRST:
        if (byte === CR) this.state = STATE_END_LF;
        else if ((CLASS[byte] & TOKEN) !== 0) this.state = STATE_TRAILER_NAME;
        else return this.wrong("a trailer line that does not begin with a name");
        return CHUNKED_MORE;
      case STATE_TRAILER_NAME:
        if (byte === COLON) this.state = STATE_TRAILER_VALUE;
        else if ((CLASS[byte] & TOKEN) === 0) return this.wrong("a byte that no trailer name may hold");
        return CHUNKED_MORE;
      case STATE_TRAILER_VALUE:
        if (byte === CR) this.state = STATE_TRAILER_LF;
        else if ((CLASS[byte] & FIELD) === 0) return this.wrong("a control character in a trailer value");
        return CHUNKED_MORE;
      case STATE_TRAILER_LF:
        if (byte !== LF) return this.wrong("a bare CR in the trailer section");
        this.state = STATE_TRAILER_FIRST;
        return CHUNKED_MORE;
      default:
        return byte === LF ? CHUNKED_DONE : this.wrong("a bare CR in the trailer section");
    }
  }

  private wrong(detail: string): number {
    this.faultDetail = detail;
    return CHUNKED_FAULT;
  }
}

/** Copies forward, so that `out` may be `bytes` with outAt <= at. */
function copyRun(bytes: Uint8Array, at: number, count: number, out: Uint8Array, outAt: number): void {
  if (count >= COPY_BYTES_MIN) {
    copyBytes.call(bytes, out, outAt, at, at + count);
    return;
  }
  for (let index = 0; index < count; index++) out[outAt + index] = bytes[at + index];
}

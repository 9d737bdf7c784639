// HOT: every byte that a target answers passes here.
// Just enough of HTTP/1.1's response framing (RFC 9112, 6.3) to know where an answer ends: the status, Content-Length,
// chunked, no body (HEAD, 204, 304), interim 1xx, until the close. A byte-by-byte machine that keeps its place between
// reads, so that an answer may come in any pieces and nothing is kept, copied or allocated. It shares no code with the server.
//
//   status line ─▶ line ─▶ name ─▶ value ─▶ … ─▶ empty line ─▶ body by length │ chunks │ until close ─▶ whole
//     ▲                     └─▶ rest of line        │ 1xx: the next head belongs to the same answer
//     └─────────────────────────────────────────────┘
//
// Strict where the end would otherwise be a guess (lengths that differ, bad digits), indifferent to all else.

import { FieldWords } from "./field-words.ts";
import {
  COLON,
  COMMON_LENGTH,
  CONNECTION,
  CONTENT_LENGTH,
  CR,
  hexOf,
  LF,
  LOWER,
  NINE,
  NO_NAME,
  SEMICOLON,
  SPACE,
  TAB,
  TRANSFER_ENCODING,
  USUAL_START,
  USUAL_START_LENGTH,
  VERSION,
  ZERO,
} from "./response-words.ts";

/** read(): the answer goes on in the next bytes. */
export const MORE = -1;
/** read(): this is not HTTP/1; the connection is of no further use. */
export const FAULT = -2;

/** Longest head that is taken for one, bytes; also the trailers behind chunks. */
const HEAD_BYTES_MAX = 64 * 1024;
/** More digits than any length has that a number can hold exactly. */
const LENGTH_MAX = 2 ** 50;

const STATUS_LINE = 0;
const REASON = 1;
const LINE_START = 2;
const NAME = 3;
const VALUE = 4;
const LINE_REST = 5;
const HEAD_LF = 6;
const BODY = 7;
const CHUNK_SIZE = 8;
const CHUNK_REST = 9;
const CHUNK_DATA = 10;
const CHUNK_END = 11;
const UNTIL_CLOSE = 12;
const BROKEN = 13;

export class ResponseReader {
  /** Of the answer that read() has just found whole. */
  status = 0;
  /** The server closes the connection behind this answer, or cannot but. */
  closes = false;
  private readonly isForHead: boolean;
  private state = STATUS_LINE;
  private position = 0;
  private headBytes = 0;
  private name = NO_NAME;
  private minor = 1;
  private code = 0;
  private length = -1;
  private hasLengthValue = false;
  private isLengthEnded = false;
  private isTrailer = false;
  private readonly words = new FieldWords();
  /** Bytes of the body or of the chunk that are still to come. */
  private left = 0;
  private hasChunkDigit = false;

  constructor(isForHead: boolean) {
    this.isForHead = isForHead;
  }

  /** Nothing of the next answer has come yet. */
  get isBetween(): boolean {
    return this.state === STATUS_LINE && this.position === 0 && this.headBytes === 0;
  }

  /** The peer closes: whether that ends an answer, which is whole then. */
  end(): boolean {
    if (this.state !== UNTIL_CLOSE) return false;
    this.state = BROKEN;
    return true;
  }

  /** For a new connection. */
  reset(): void {
    this.startAnswer();
  }

  /**
   * Reads from `offset` to the end of one answer at most: the offset behind it, or MORE when all bytes were read and it goes
   * on, or FAULT. The bytes are not kept.
   */
  read(bytes: Uint8Array, offset: number): number {
    let index = offset;
    const end = bytes.length;
    while (index < end) {
      switch (this.state) {
        case STATUS_LINE:
          if (this.position === 0 && this.hasUsualStart(bytes, index)) index += USUAL_START_LENGTH;
          else if (!this.readStatusLine(bytes[index++]!)) return this.fail();
          break;
        case REASON:
        case LINE_REST: {
          const from = index;
          while (index < end && bytes[index] !== LF) index++;
          this.headBytes += index - from;
          if (index < end) {
            index++;
            this.state = LINE_START;
          } else if (this.headBytes > HEAD_BYTES_MAX) return this.fail();
          break;
        }
        case LINE_START: {
          const byte = bytes[index++]!;
          if (byte === CR) this.state = HEAD_LF;
          else if (byte === LF) {
            const whole = this.endHead();
            if (whole) return this.finish(index);
          } else if (++this.headBytes > HEAD_BYTES_MAX) return this.fail();
          else this.startName(byte);
          break;
        }
        case HEAD_LF:
          if (bytes[index++] !== LF) return this.fail();
          if (this.endHead()) return this.finish(index);
          break;
        case NAME:
          index = this.readName(bytes, index);
          break;
        case VALUE:
          if (!this.readValue(bytes[index++]!)) return this.fail();
          break;
        case BODY: {
          const left = this.left;
          if (end - index < left) {
            this.left = left - (end - index);
            return MORE;
          }
          return this.finish(index + left);
        }
        case CHUNK_SIZE:
          if (!this.readChunkSize(bytes[index++]!)) return this.fail();
          break;
        case CHUNK_REST:
          if (bytes[index++] === LF) this.startChunk();
          else if (++this.headBytes > HEAD_BYTES_MAX) return this.fail();
          break;
        case CHUNK_DATA: {
          const taken = Math.min(this.left, end - index);
          index += taken;
          this.left -= taken;
          if (this.left === 0) this.state = CHUNK_END;
          break;
        }
        case CHUNK_END: {
          const byte = bytes[index++]!;
          if (byte === LF) this.startChunkSize();
          else if (byte !== CR || this.position++ > 0) return this.fail();
          break;
        }
        case UNTIL_CLOSE:
          return MORE;
        default:
          return FAULT;
      }
    }
    return MORE;
  }

  /** Whether "HTTP/1.1 200 " stands here, whole; what it says is taken then. */
  private hasUsualStart(bytes: Uint8Array, from: number): boolean {
    if (bytes.length - from < USUAL_START_LENGTH) return false;
    for (let index = 0; index < USUAL_START_LENGTH; index++) {
      if (bytes[from + index] !== USUAL_START[index]) return false;
    }
    this.minor = 1;
    this.code = 200;
    this.state = REASON;
    return true;
  }

  private readStatusLine(byte: number): boolean {
    const position = this.position++;
    if (position < 7) return byte === VERSION[position];
    switch (position) {
      case 7:
        this.minor = byte - ZERO;
        return byte >= ZERO && byte <= NINE;
      case 8:
        return byte === SPACE;
      case 9:
      case 10:
      case 11:
        if (byte < ZERO || byte > NINE) return false;
        this.code = this.code * 10 + byte - ZERO;
        return true;
      default:
        this.state = byte === LF ? LINE_START : REASON;
        return this.code >= 100 && (byte === SPACE || byte === CR || byte === LF);
    }
  }

  private startName(byte: number): void {
    const letter = byte | LOWER;
    this.position = 1;
    this.state = NAME;
    if (this.isTrailer) this.state = LINE_REST;
    else if (letter === CONTENT_LENGTH[0]) this.name = CONTENT_LENGTH;
    else if (letter === TRANSFER_ENCODING[0]) this.name = TRANSFER_ENCODING;
    else this.state = LINE_REST;
  }

  /** Returns the offset behind what it read: the name, or as much of it as is one of those looked for. */
  private readName(bytes: Uint8Array, from: number): number {
    let index = from;
    let { name, position } = this;
    while (index < bytes.length && position < name.length) {
      const letter = bytes[index]! | LOWER;
      if (letter !== name[position]) {
        if (position !== COMMON_LENGTH || name !== CONTENT_LENGTH || letter !== CONNECTION[position]) break;
        name = CONNECTION;
      }
      index++;
      position++;
    }
    this.headBytes += index - from;
    this.name = name;
    this.position = position;
    if (index === bytes.length) return index;
    if (position === name.length && bytes[index] === COLON) {
      this.startValue();
      return index + 1;
    }
    this.state = LINE_REST;
    return index;
  }

  private startValue(): void {
    this.state = VALUE;
    this.position = 0;
    if (this.name === CONTENT_LENGTH) {
      this.hasLengthValue = false;
      this.isLengthEnded = false;
      this.left = 0;
    }
    if (this.name === TRANSFER_ENCODING) this.words.startCodings();
  }

  private readValue(byte: number): boolean {
    if (++this.headBytes > HEAD_BYTES_MAX) return false;
    if (this.name === CONTENT_LENGTH) return this.readLength(byte);
    if (this.words.read(byte, this.name === TRANSFER_ENCODING)) this.state = LINE_START;
    return true;
  }

  private readLength(byte: number): boolean {
    if (byte >= ZERO && byte <= NINE) {
      if (this.isLengthEnded) return false;
      this.hasLengthValue = true;
      this.left = this.left * 10 + byte - ZERO;
      return this.left <= LENGTH_MAX;
    }
    if (byte === SPACE || byte === TAB || byte === CR) {
      this.isLengthEnded = this.hasLengthValue;
      return true;
    }
    if (byte !== LF || !this.hasLengthValue) return false;
    if (this.length >= 0 && this.length !== this.left) return false;
    this.length = this.left;
    this.state = LINE_START;
    return true;
  }

  /** The empty line: true where the answer ends with it. */
  private endHead(): boolean {
    if (this.isTrailer) return true;
    const status = this.code;
    this.status = status;
    if (status < 200 && status !== 101) {
      this.startAnswer();
      return false;
    }
    this.closes = this.words.saysClose || status === 101 || (this.minor === 0 && !this.words.saysKeepAlive);
    if (this.isForHead || status === 204 || status === 304 || status === 101) return true;
    if (this.words.isChunked) {
      this.startChunkSize();
      return false;
    }
    if (this.length >= 0) {
      this.left = this.length;
      this.state = BODY;
      return this.left === 0;
    }
    this.closes = true;
    this.state = UNTIL_CLOSE;
    return false;
  }

  private startChunkSize(): void {
    this.state = CHUNK_SIZE;
    this.left = 0;
    this.hasChunkDigit = false;
    this.position = 0;
    this.headBytes = 0;
  }

  private readChunkSize(byte: number): boolean {
    const digit = hexOf(byte);
    if (digit >= 0) {
      this.hasChunkDigit = true;
      this.left = this.left * 16 + digit;
      return this.left <= LENGTH_MAX;
    }
    if (!this.hasChunkDigit) return false;
    if (byte === LF) this.startChunk();
    else if (byte === CR || byte === SEMICOLON || byte === SPACE || byte === TAB) this.state = CHUNK_REST;
    else return false;
    return true;
  }

  private startChunk(): void {
    this.position = 0;
    this.headBytes = 0;
    if (this.left > 0) this.state = CHUNK_DATA;
    else {
      this.isTrailer = true;
      this.state = LINE_START;
    }
  }

  private finish(offset: number): number {
    this.startAnswer();
    return offset;
  }

  private fail(): number {
    this.state = BROKEN;
    return FAULT;
  }

  private startAnswer(): void {
    this.state = STATUS_LINE;
    this.position = 0;
    this.headBytes = 0;
    this.code = 0;
    this.length = -1;
    this.isTrailer = false;
    this.words.reset();
  }
}

// HOT: The words of the two fields of an answer that are lists: the codings of Transfer-Encoding, the options of Connection.
// A byte-by-byte machine like the reader that owns it; `position` is how far the present word is one of those looked for.

import { CHUNKED, CLOSE, COMMA, CR, KEEP_ALIVE, LF, LOWER, SPACE, TAB } from "./response-words.ts";

/** The position of a word that is none of them. */
const OTHER_WORD = -1;

export class FieldWords {
  isChunked = false;
  saysClose = false;
  saysKeepAlive = false;
  private word = CLOSE;
  private position = 0;

  /** For a new answer. */
  reset(): void {
    this.isChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.position = 0;
  }

  /** A Transfer-Encoding begins: the last coding of the last field counts, which is where chunked has to be. */
  startCodings(): void {
    this.isChunked = false;
  }

  /** A byte of the field's value; true where the field ends with it. */
  read(byte: number, isCoding: boolean): boolean {
    if (byte === LF || byte === COMMA) {
      this.endWord();
      this.position = 0;
      return byte === LF;
    }
    if (byte === SPACE || byte === TAB || byte === CR) return false;
    const letter = byte | LOWER;
    if (this.position === 0) {
      if (isCoding) {
        this.isChunked = false;
        this.word = CHUNKED;
      } else this.word = letter === CLOSE[0] ? CLOSE : KEEP_ALIVE;
    }
    const position = this.position;
    this.position = position >= 0 && this.word[position] === letter ? position + 1 : OTHER_WORD;
    return false;
  }

  private endWord(): void {
    if (this.position !== this.word.length) return;
    if (this.word === CHUNKED) this.isChunked = true;
    else if (this.word === CLOSE) this.saysClose = true;
    else this.saysKeepAlive = true;
  }
}

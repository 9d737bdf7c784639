// Just enough HTTP to know that an answer is whole: status line, Content-Length (or none for 204), body.
// For our own load only: it trusts the server to send a length and not chunks, and reads one answer at a time.

export class AnswerReader {
  #text = "";

  /** The status of the answer that these bytes complete, or null where more must come. */
  read(bytes: Buffer): number | null {
    this.#text += bytes.toString("latin1");
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0) return null;
    const head = this.#text.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#text.length < headEnd + 4 + length) return null;
    this.#text = this.#text.slice(headEnd + 4 + length);
    return Number(head.slice(9, 12));
  }
}

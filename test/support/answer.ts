// Reads HTTP/1.1 answers off a byte stream, one after another, and insists on their form: the tests' own reader, which
// shares nothing with the server's parser. Pure: bytes in, answers out.

export interface Answer {
  status: number;
  /** By lower-case name; a field that comes twice is joined with ", ". */
  headers: ReadonlyMap<string, string>;
  body: string;
  /** The head as it was sent, without the empty line. */
  head: string;
}

export interface ReadAnswer {
  answer: Answer;
  /** Where the next one begins. */
  end: number;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/** The answer that begins at `start`, or null while it is not whole. Throws where it is no HTTP/1.1 answer. */
export function readAnswer(bytes: Buffer, start: number, isForHead: boolean): ReadAnswer | null {
  const headEnd = bytes.indexOf(HEAD_END, start);
  if (headEnd < 0) return null;
  const head = bytes.toString("latin1", start, headEnd);
  const [statusLine = "", ...lines] = head.split("\r\n");
  const match = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]+$/.exec(statusLine);
  if (match === null) throw new Error(`not an HTTP/1.1 answer: ${JSON.stringify(head)}`);
  const status = Number(match[1]);
  const headers = headersFrom(lines);
  const bodyStart = headEnd + HEAD_END.length;
  const bodyEnd = bodyStart + bodyBytes(status, headers, isForHead);
  if (bytes.length < bodyEnd) return null;
  return {
    answer: { status, headers, body: bytes.toString("utf8", bodyStart, bodyEnd), head },
    end: bodyEnd,
  };
}

function headersFrom(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) throw new Error(`not a header field: ${JSON.stringify(line)}`);
    const name = match[1]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? match[2]! : `${before}, ${match[2]}`);
  }
  return headers;
}

function bodyBytes(status: number, headers: Map<string, string>, isForHead: boolean): number {
  if (headers.has("transfer-encoding")) throw new Error("no answer of ours is chunked");
  const length = headers.get("content-length");
  if (status < 200 || status === 204 || status === 304) {
    if (length !== undefined) throw new Error(`an answer of ${status} has no Content-Length`);
    return 0;
  }
  if (length === undefined || !/^\d+$/.test(length)) throw new Error(`Content-Length is ${length}`);
  return isForHead ? 0 : Number(length);
}

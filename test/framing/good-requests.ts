// The good requests that the mutator begins with: every way of framing that the server takes, each told apart by what it
// asks for. Some bodies hold a whole request, so that a reader who loses its place finds one there.
//
// Behind the mutated bytes comes the canary, a request that is always the same: where a reader begins the canary shows
// where it ended what came before.

/** Bytes as text, one character a byte (latin1): what the mutator cuts and joins. */
export interface GoodRequest {
  readonly name: string;
  readonly text: string;
}

export const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n";
export const CANARY = "GET /health HTTP/1.1\r\nHost: canary\r\nConnection: close\r\n\r\n";

const BATCH = '{"metrics":[{"name":"framed","value":1}]}';
const ENDED_CHUNKS = `0\r\n\r\n${HIDDEN}`;

export const GOOD_REQUESTS: readonly GoodRequest[] = [
  { name: "length", text: posted(["Content-Type: application/json"], BATCH) },
  { name: "length, a request in the body", text: posted([], HIDDEN) },
  { name: "length, ended chunks in the body", text: posted(["X-Client-Id: framing"], ENDED_CHUNKS) },
  { name: "length 0", text: posted([], "") },
  { name: "chunked", text: chunked([], "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") },
  { name: "chunked batch", text: chunked(["Content-Type: text/plain"], `${chunk(BATCH)}0\r\n\r\n`) },
  {
    name: "chunked, extensions and trailers",
    text: chunked(
      ["Trailer: X-Sum"],
      '5;a;b=c\r\nhello\r\n1;d="e;\\"f"\r\n!\r\n0;g\r\nX-Sum: 1\r\nX: y\r\n\r\n',
    ),
  },
  { name: "chunked, a request in a chunk", text: chunked([], `${chunk(HIDDEN)}0\r\n\r\n`) },
  { name: "pipelined pair", text: posted([], BATCH) + asked("GET /stats", []) },
  { name: "pipelined, chunked first", text: chunked([], `${chunk(BATCH)}0\r\n\r\n`) + posted([], "{}") },
  {
    name: "pipelined three",
    text: asked("GET /a", []) + posted(["X: y"], HIDDEN) + chunked([], "1\r\nx\r\n0\r\n\r\n"),
  },
  { name: "asks leave", text: posted(["Expect: 100-continue"], BATCH) },
  { name: "asks leave, chunked", text: chunked(["Expect: 100-continue"], `${chunk("{}")}0\r\n\r\n`) },
  {
    name: "HTTP/1.0 with a length",
    text: `POST /metrics HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}`,
  },
  { name: "HTTP/1.0 without Host", text: "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" },
  { name: "GET with a query", text: asked("GET /metrics?a=b%20c", ["Accept: application/json"]) },
  { name: "GET with a body", text: asked("GET /ready", [`Content-Length: ${HIDDEN.length}`]) + HIDDEN },
  { name: "HEAD", text: asked("HEAD /stats", []) },
  { name: "absolute target", text: asked("GET http://a/ready", []) },
  {
    name: "odd white space",
    text: "\r\nPOST /metrics HTTP/1.1\r\nHost:\ta \r\nX:\r\nContent-Length: \t 2 \t\r\nY:  z  \r\n\r\n{}",
  },
  { name: "OPTIONS", text: asked("OPTIONS *", []) },
  { name: "PUT, chunked", text: chunked([], "2\r\n{}\r\n0\r\n\r\n").replace("POST", "PUT") },
  { name: "DELETE", text: asked("DELETE /metrics", ["Content-Length: 0"]) },
  {
    name: "says how to go on",
    text: posted(["Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5"], "{}"),
  },
];

function asked(line: string, fields: readonly string[]): string {
  return `${line} HTTP/1.1\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
}

function posted(fields: readonly string[], body: string): string {
  return asked("POST /metrics", [...fields, `Content-Length: ${body.length}`]) + body;
}

function chunked(fields: readonly string[], chunks: string): string {
  return asked("POST /metrics", [...fields, "Transfer-Encoding: chunked"]) + chunks;
}

function chunk(content: string): string {
  return `${content.length.toString(16)}\r\n${content}\r\n`;
}

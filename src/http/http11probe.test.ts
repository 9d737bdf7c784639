// The published cases of Http11Probe through the pure protocol alone, head and body: what the parsers make of each must
// be able to become an answer that the case expects. test/conformance runs the same over a socket.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { REFUSALS } from "../errors.ts";
import { BODY_BYTES_MAX_DEFAULT } from "../limits.ts";
import { CHUNKED_DONE, CHUNKED_MORE, ChunkedBody } from "./chunked-body.ts";
import {
  HEAD_FAULT,
  HEAD_PARTIAL,
  METHOD_CONNECT,
  METHOD_OTHER,
  METHOD_TRACE,
  RequestHead,
} from "./request-head.ts";

interface ProbeCase {
  id: string;
  expected: string;
  scored: boolean;
  rawRequest: string;
}

interface Verdict {
  /** What a server of ours answers to it; 0 while the request is not whole. */
  status: number;
  isClosing: boolean;
  /** Bytes that are read as another request. */
  bytesLeft: number;
}

const CORPUS = new URL("../../../shared/corpora/http11probe.json", import.meta.url);
const isAbsent = !existsSync(CORPUS);
const cases: ProbeCase[] = isAbsent ? [] : JSON.parse(readFileSync(CORPUS, "utf8")).cases;

/** Cases whose bytes above 127 were flattened to "?" where they were published. */
const RESTORED: readonly ProbeCase[] = [
  {
    id: "MAL-NON-ASCII-URL, restored",
    rawRequest: "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
  },
  {
    id: "MAL-URL-OVERLONG-UTF8, restored",
    rawRequest: "GET /\xc0\xaf HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
  },
  {
    id: "MAL-NON-ASCII-HEADER-NAME, restored",
    rawRequest: "GET / HTTP/1.1\r\nHost: localhost:8080\r\nX-T\xc3\xa9st: value\r\n\r\n",
  },
].map((restored) => ({ ...restored, expected: "400 or close", scored: true }));

// Bun says nothing of a skipped group that holds no test: the skip is a test of its own.
const why = "cannot run because ../shared/corpora is absent";
if (isAbsent) test("Http11Probe", { skip: why }, () => {});

describe("http11probe", { skip: isAbsent ? why : false }, () => {
  for (const probe of [...cases, ...RESTORED]) {
    test(`${probe.id}${probe.scored ? "" : " (not scored)"} can be answered as expected: ${probe.expected}`, () => {
      const verdict = judge(Buffer.from(probe.rawRequest, "latin1"));
      assert.ok(isExpected(probe.expected, verdict), `got ${JSON.stringify(verdict)}`);
      assert.equal(verdict.bytesLeft, 0, "what was sent as one request is read as two");
    });
  }
});

function judge(bytes: Uint8Array): Verdict {
  const head = new RequestHead();
  const outcome = head.parse(bytes, 0, bytes.length);
  if (outcome === HEAD_PARTIAL) return { status: 0, isClosing: false, bytesLeft: 0 };
  if (outcome === HEAD_FAULT) return { status: REFUSALS[head.fault].status, isClosing: true, bytesLeft: 0 };
  let end = head.headEnd;
  if (head.isChunked) {
    const chunked = new ChunkedBody();
    const status = chunked.decode(bytes, end, bytes.length, null, 0, BODY_BYTES_MAX_DEFAULT);
    if (status === CHUNKED_MORE) return { status: 0, isClosing: false, bytesLeft: 0 };
    if (status !== CHUNKED_DONE) return { status: 400, isClosing: true, bytesLeft: 0 };
    end = chunked.consumedEnd;
  } else if (head.contentLength > 0) {
    end += head.contentLength;
    if (end > bytes.length) return { status: 0, isClosing: false, bytesLeft: 0 };
  }
  return { status: routed(head.method), isClosing: !head.keepAlive, bytesLeft: bytes.length - end };
}

function routed(method: number): number {
  if (method === METHOD_OTHER) return 501;
  return method === METHOD_CONNECT || method === METHOD_TRACE ? 405 : 200;
}

/** Reads "400 or 2xx", "400/close/timeout", "2xx + close", "!101", "400 or close (pass), 2xx (warn)". */
function isExpected(expected: string, verdict: Verdict): boolean {
  if (expected === "!101") return verdict.status !== 101;
  if (expected === "2xx + close") return verdict.status === 200 && verdict.isClosing;
  const ways = expected
    .split(",")
    .filter((part) => !part.includes("(warn)"))
    .flatMap((part) => part.match(/2xx|\d{3}|close|timeout/g) ?? []);
  if (verdict.status === 0) return ways.includes("timeout");
  if (verdict.status === 200) return ways.includes("2xx") || ways.includes("200");
  return ways.includes(String(verdict.status));
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { REFUSALS } from "../errors.ts";
import { HEAD_BYTES_MAX, HEADER_COUNT_MAX, LEADING_CRLF_MAX, TARGET_BYTES_MAX } from "../limits.ts";
import { run as fuzz } from "./request-head.fuzz.ts";
import {
  ACK_NOT_ASKED,
  ACK_SYNCED,
  ACK_UNKNOWN,
  ACK_WRITTEN,
  CODING_DEFLATE,
  CODING_GZIP,
  CODING_IDENTITY,
  CODING_UNKNOWN,
  CODING_ZSTD,
  HEAD_COMPLETE,
  HEAD_FAULT,
  HEAD_PARTIAL,
  METHOD_CONNECT,
  METHOD_GET,
  METHOD_OPTIONS,
  METHOD_OTHER,
  METHOD_POST,
  RequestHead,
} from "./request-head.ts";

const COMMON =
  "POST /metrics?source=a%20b HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n" +
  "Content-Type: application/json\r\nX-Client-Id: web-1\r\nAuthorization: Bearer abc\r\nContent-Length: 263\r\n\r\n";

/** What parse() says of a text on its own, as one comparable value. */
function parse(
  text: string,
  head = new RequestHead(),
): { head: RequestHead; outcome: number; bytes: Buffer } {
  const bytes = Buffer.from(text, "latin1");
  return { head, outcome: head.parse(bytes, 0, bytes.length), bytes };
}

function parseFields(...lines: string[]): { head: RequestHead; outcome: number; bytes: Buffer } {
  return parse(
    `POST /metrics HTTP/1.1\r\n${["Host: a", ...lines].map((line) => `${line}\r\n`).join("")}\r\n`,
  );
}

function completeFields(...lines: string[]): RequestHead {
  const { head, outcome } = parseFields(...lines);
  assert.equal(outcome, HEAD_COMPLETE, `${lines.join(" | ")}: ${head.faultDetail}`);
  return head;
}

function assertFault(text: string, reason = "bad_request", detail?: RegExp): void {
  const { head, outcome } = parse(text);
  assert.equal(outcome, HEAD_FAULT, JSON.stringify(text));
  assert.equal(REFUSALS[head.fault].reason, reason, JSON.stringify(text));
  if (detail !== undefined) assert.match(head.faultDetail, detail, JSON.stringify(text));
}

function assertFieldFault(line: string, detail?: RegExp): void {
  assertFault(`POST / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`, "bad_request", detail);
}

function span(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end);
}

describe("a whole head", () => {
  test("comes out as spans and numbers", () => {
    const { head, outcome, bytes } = parse(`${COMMON}BODY`);
    assert.equal(outcome, HEAD_COMPLETE);
    assert.equal(head.headEnd, COMMON.length);
    assert.equal(head.method, METHOD_POST);
    assert.equal(span(bytes, head.targetStart, head.targetEnd), "/metrics");
    assert.equal(span(bytes, head.queryStart, head.queryEnd), "source=a%20b");
    assert.equal(span(bytes, head.contentTypeStart, head.contentTypeEnd), "application/json");
    assert.equal(span(bytes, head.clientIdStart, head.clientIdEnd), "web-1");
    assert.equal(span(bytes, head.authorizationStart, head.authorizationEnd), "Bearer abc");
    assert.equal(head.contentLength, 263);
    assert.equal(head.keepAlive, true);
    assert.equal(head.isHttp10, false);
    assert.equal(head.isChunked, false);
    assert.equal(head.contentCoding, CODING_IDENTITY);
    assert.equal(head.acceptsJson, false);
  });

  test("leaves nothing of the request before", () => {
    const head = new RequestHead();
    parse(
      `${COMMON.slice(0, -2)}Prefer: ack=synced\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\n\r\n`,
      head,
    );
    assert.equal(head.ackAsked, ACK_SYNCED);
    assert.equal(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", head).outcome, HEAD_COMPLETE);
    const fresh = parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").head;
    assert.deepEqual({ ...head }, { ...fresh });
  });

  test("is found behind the empty lines that are tolerated, and no more", () => {
    const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert.equal(parse("\r\n".repeat(LEADING_CRLF_MAX) + head).outcome, HEAD_COMPLETE);
    assertFault("\r\n".repeat(LEADING_CRLF_MAX + 1) + head);
    assertFault(`\n${head}`);
  });

  test("may begin anywhere in the buffer", () => {
    const bytes = Buffer.from(`xyz${COMMON}GET`, "latin1");
    const head = new RequestHead();
    assert.equal(head.parse(bytes, 3, bytes.length), HEAD_COMPLETE);
    assert.equal(head.headEnd, 3 + COMMON.length);
    assert.equal(span(bytes, head.targetStart, head.targetEnd), "/metrics");
  });
});

describe("the request line", () => {
  test("tells the methods apart by case and length", () => {
    const method = (name: string) => parse(`${name} / HTTP/1.1\r\nHost: a\r\n\r\n`).head.method;
    assert.deepEqual(
      ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "GETS", "M-SEARCH"].map(
        method,
      ),
      [1, 2, 3, 4, 5, 6, 7, 8, METHOD_OTHER, METHOD_OTHER, METHOD_OTHER],
    );
    assert.equal(parse("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n").head.method, METHOD_CONNECT);
  });

  test("has one space between its parts and CRLF at its end", () => {
    for (const line of [
      "GET  / HTTP/1.1\r\n",
      "GET /  HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      " GET / HTTP/1.1\r\n",
      "GET\t/ HTTP/1.1\r\n",
      "GET /\tHTTP/1.1\r\n",
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\rHost: a",
      "G(T / HTTP/1.1\r\n",
      "GET /\r\n",
      "GET HTTP/1.1\r\n",
    ]) {
      assertFault(`${line}Host: a\r\n\r\n`);
    }
  });

  test("speaks HTTP/1.x only", () => {
    const version = (word: string) => `GET / ${word}\r\nHost: a\r\n\r\n`;
    assert.equal(parse(version("HTTP/1.2")).outcome, HEAD_COMPLETE);
    assert.equal(parse(version("HTTP/1.2")).head.isHttp10, false);
    assert.equal(parse(version("HTTP/1.0")).head.isHttp10, true);
    for (const word of ["HTTP/2.0", "HTTP/9.9", "HTTP/3.1"]) assertFault(version(word), "version");
    for (const word of [
      "HTTP/0.9",
      "HTTP/1",
      "HTTP/1.",
      "HTTP/01.01",
      "http/1.1",
      "HTTP/1.10",
      "HTTP/ 1.1",
      "HTTP/1,1",
      "HTTPS/1.1",
      "",
    ]) {
      assertFault(version(word));
    }
  });

  test("takes the four forms of a target where they belong", () => {
    const target = (method: string, word: string) => {
      const { head, outcome, bytes } = parse(`${method} ${word} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (outcome !== HEAD_COMPLETE) return REFUSALS[head.fault].status;
      const query = head.queryStart < 0 ? "" : `?${span(bytes, head.queryStart, head.queryEnd)}`;
      return span(bytes, head.targetStart, head.targetEnd) + query;
    };
    assert.equal(target("GET", "/a/b?c=d/e"), "/a/b?c=d/e");
    assert.equal(target("GET", "/?"), "/?");
    assert.equal(target("GET", "http://h:80/a?b"), "/a?b");
    assert.equal(target("GET", "HTTPS://[::1]:80/a"), "/a");
    assert.equal(target("GET", "http://h"), "/");
    assert.equal(target("GET", "http://h?b"), "/?b");
    assert.equal(target("OPTIONS", "*"), "*");
    assert.equal(target("CONNECT", "h:443"), "h:443");
    for (const [method, word] of [
      ["GET", "*"],
      ["OPTIONS", "**"],
      ["GET", "h:443"],
      ["GET", "a/b"],
      ["CONNECT", "/"],
      ["CONNECT", "h"],
      ["CONNECT", "h:"],
      ["GET", "http://"],
      ["GET", "http:///a"],
      ["GET", "http://u@h/"],
      ["GET", "http://h:99999/"],
      ["GET", "ftp://h/"],
      ["GET", "?a"],
    ]) {
      assert.equal(target(method, word), 400, `${method} ${word}`);
    }
    assert.equal(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.isAsterisk, true);
    assert.equal(parse("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n").head.isAsterisk, false);
    assert.equal(parse("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n").head.method, METHOD_OPTIONS);
  });

  test("refuses targets with bytes, escapes and marks that have no honest use", () => {
    for (const target of [
      "/#a",
      "/a\\b",
      '/"',
      "/<",
      "/>",
      "/^",
      "/`",
      "/{",
      "/|",
      "/}",
      "/\x00",
      "/\x7f",
      "/caf\xc3\xa9",
      "/\xc0\xaf",
      "/%",
      "/%4",
      "/%zz",
      "/%0",
      "/%00",
      "/%0d%0a",
      "/%0A",
      "/a?b%00",
    ]) {
      assertFault(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    }
    assertFault("GET /caf?? HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request", /send %3F/);
    assert.equal(parse("GET /%41?%3F[1]='x' HTTP/1.1\r\nHost: a\r\n\r\n").outcome, HEAD_COMPLETE);
  });
});

describe("the header section", () => {
  test("refuses every line ending but CRLF, folds, and names that are no tokens", () => {
    for (const line of [
      "X: a\nY: b",
      "X: a\rb",
      "X: a\r",
      "X: a\r\n b",
      "X: a\r\n\tb",
      "X : a",
      "X\t: a",
      ": a",
      "NoColon",
      "B[d: a",
      "X\xe9: a",
      "X: \x00",
      "X: a\x07",
      "X: \x7f",
      " X: a",
    ]) {
      assertFieldFault(line);
    }
    assert.equal(parseFields("X: \xe9 \t b", "Y:", "Z:  ", "!#$%&'*+-.^_`|~: a").outcome, HEAD_COMPLETE);
  });

  test("asks for exactly one valid Host, of HTTP/1.0 for at most one", () => {
    assertFault("GET / HTTP/1.1\r\n\r\n", "bad_request", /no Host/);
    assertFieldFault("Host: a", /two Host/);
    assert.equal(parse("GET / HTTP/1.0\r\n\r\n").outcome, HEAD_COMPLETE);
    assertFault("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n");
    const host = (value: string) =>
      parse(`GET / HTTP/1.1\r\nhOST:${value}\r\n\r\n`).outcome === HEAD_COMPLETE;
    for (const value of [
      "a",
      " a.b-c_d~e:8080 ",
      "127.0.0.1",
      "[::1]:1",
      "[::]",
      "[1:2:3:4:5:6:7:8]",
      "[::ffff:1.2.3.4]",
      "[1::8]",
      "a:",
      "%41b",
      "a!$&'()*+;=",
    ]) {
      assert.equal(host(value), true, value);
    }
    for (const value of [
      "",
      " ",
      "u@h",
      "h/p",
      "a,b",
      "a b",
      "h:80:80",
      "h:x",
      "h:65536",
      ":80",
      "[::1",
      "::1",
      "[]",
      "[:::]",
      "[1:2]",
      "[1::2::3]",
      "[1:2:3:4::5:6:7:8]",
      "[1:2:3:4:5:6:7:8:9]",
      "[12345::]",
      "[::1.2.3]",
      "[::1.2.3.256]",
      "[::1.2.3.04]",
      "[fe80::1%25a]",
      "[1:2:3:4:5:6:7:]",
      "[v1.a]",
      "[::1]x",
      "%4",
      "%",
      "h?a",
      "h\xe9",
    ]) {
      assert.equal(host(value), false, value);
    }
  });

  test("takes a Content-Length of plain digits, once", () => {
    assert.equal(completeFields().contentLength, -1);
    assert.equal(completeFields("Content-Length: 0").contentLength, 0);
    assert.equal(completeFields("CONTENT-LENGTH:\t 123456789012345 \t").contentLength, 123_456_789_012_345);
    for (const value of [
      "",
      "+5",
      "-1",
      "-0",
      "5, 5",
      "5,10",
      "0x5",
      "1_0",
      "005",
      "00",
      "1 0",
      "5.0",
      "1e3",
      "1234567890123456",
      "\xb2",
    ]) {
      assertFieldFault(`Content-Length: ${value}`, /Content-Length/);
    }
    assertFieldFault("Content-Length: 5\r\nContent-Length: 5", /two Content-Length/);
  });

  test("takes a Transfer-Encoding of chunked, alone, in HTTP/1.1, without Content-Length", () => {
    assert.equal(completeFields("Transfer-Encoding: Chunked").isChunked, true);
    for (const value of [
      "",
      "chunked, chunked",
      "gzip, chunked",
      "chunked, gzip",
      ", chunked",
      "chunked,",
      "chunked;a=b",
      "chun ked",
      "chunked\x0b",
      '"chunked"',
    ]) {
      assertFieldFault(`Transfer-Encoding: ${value}`);
    }
    assertFieldFault("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", /two Transfer-Encoding/);
    assertFieldFault("Transfer-Encoding: chunked\r\nContent-Length: 5", /both/);
    assertFieldFault("Content-Length: 5\r\nTransfer-Encoding: xchunked", /both/);
    assertFault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_request", /HTTP\/1.0/);
    for (const value of ["gzip", "identity", "xchunked"]) {
      assertFault(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${value}\r\n\r\n`, "transfer_coding");
    }
  });

  test("decides on keeping the connection by version and Connection", () => {
    const keeps = (version: string, value?: string) =>
      parse(
        `GET / HTTP/${version}\r\nHost: a\r\n${value === undefined ? "" : `Connection: ${value}\r\n`}\r\n`,
      ).head.keepAlive;
    assert.equal(keeps("1.1"), true);
    assert.equal(keeps("1.1", "Close"), false);
    assert.equal(keeps("1.1", "upgrade ,\tCLOSE"), false);
    assert.equal(keeps("1.1", "closed, not-close"), true);
    assert.equal(keeps("1.0"), false);
    assert.equal(keeps("1.0", ",Keep-Alive ,"), true);
    assert.equal(keeps("1.0", "keep-alive, close"), false);
    assert.equal(completeFields("Connection: keep-alive", "Connection: close").keepAlive, false);
  });

  test("knows one expectation, and ignores it from HTTP/1.0", () => {
    assert.equal(completeFields("Expect: 100-Continue").expectsContinue, true);
    assert.equal(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expectsContinue, false);
    for (const value of ["200-ok", "", "100-continue, x"]) {
      assertFault(`POST / HTTP/1.1\r\nHost: a\r\nExpect: ${value}\r\n\r\n`, "expectation");
    }
  });

  test("refuses two of a field that only one may stand for", () => {
    for (const name of ["X-Client-Id", "Authorization", "Content-Type"]) {
      assertFieldFault(`${name}: a\r\n${name.toLowerCase()}: a`, new RegExp(`two ${name}`));
    }
    const { head } = parseFields("X-Client-Id: ");
    assert.ok(head.clientIdStart > 0 && head.clientIdStart === head.clientIdEnd);
    assert.equal(completeFields().clientIdStart, -1);
  });

  test("reads Content-Encoding", () => {
    const coding = (...lines: string[]) =>
      completeFields(...lines.map((value) => `Content-Encoding: ${value}`)).contentCoding;
    assert.equal(coding("gzip"), CODING_GZIP);
    assert.equal(coding("X-GZIP"), CODING_GZIP);
    assert.equal(coding("deflate"), CODING_DEFLATE);
    assert.equal(coding("zstd"), CODING_ZSTD);
    assert.equal(coding("identity"), CODING_IDENTITY);
    assert.equal(coding(""), CODING_IDENTITY);
    assert.equal(coding("br"), CODING_UNKNOWN);
    assert.equal(coding("gzip, gzip"), CODING_UNKNOWN);
    assert.equal(coding("gzip", "gzip"), CODING_UNKNOWN);
  });

  test("reads the first ack of Prefer", () => {
    const ack = (...values: string[]) =>
      completeFields(...values.map((value) => `Prefer: ${value}`)).ackAsked;
    assert.equal(ack("respond-async"), ACK_NOT_ASKED);
    assert.equal(ack("ack=synced"), ACK_SYNCED);
    assert.equal(ack('ACK = "Written"; a=b'), ACK_WRITTEN);
    assert.equal(ack("wait=10, ack=synced, ack=accepted"), ACK_SYNCED);
    assert.equal(ack('x="a, ack=written \\" , ack=written", ack=synced'), ACK_SYNCED);
    assert.equal(ack("wait=10", "ack=accepted", "ack=synced"), 1);
    assert.equal(ack("ack"), ACK_UNKNOWN);
    assert.equal(ack("ack=fast"), ACK_UNKNOWN);
    assert.equal(ack("ack="), ACK_UNKNOWN);
    assert.equal(ack('ack="synced'), ACK_UNKNOWN);
    assert.equal(ack("acks=synced"), ACK_NOT_ASKED);
  });

  test("finds application/json in Accept where it is wanted", () => {
    const accepts = (...values: string[]) =>
      completeFields(...values.map((value) => `Accept: ${value}`)).acceptsJson;
    assert.equal(accepts("application/json"), true);
    assert.equal(accepts("text/plain;q=0.5 , Application/JSON ;q=0.1"), true);
    assert.equal(accepts("text/plain", "application/json"), true);
    assert.equal(accepts("*/*"), false);
    assert.equal(accepts("application/*, text/html, application/jsonl"), false);
    assert.equal(accepts("application/json;q=0"), false);
    assert.equal(accepts("application/json; v=1; q=0.000"), false);
    assert.equal(accepts('text/x;a=", application/json", text/y'), false);
  });
});

describe("the bounds", () => {
  test("a head of exactly HEAD_BYTES_MAX is read, one byte more is refused", () => {
    const frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
    const filled = (bytes: number) => frame.replace("X: ", `X: ${"a".repeat(bytes - frame.length)}`);
    assert.equal(parse(filled(HEAD_BYTES_MAX)).outcome, HEAD_COMPLETE);
    assertFault(filled(HEAD_BYTES_MAX + 1), "head_too_large");
    assert.equal(parse(filled(HEAD_BYTES_MAX).slice(0, -1)).outcome, HEAD_PARTIAL);
    // What cannot be completed within the bound is refused without waiting for one more byte.
    assertFault(filled(HEAD_BYTES_MAX + 1).slice(0, HEAD_BYTES_MAX), "head_too_large");
  });

  test("HEADER_COUNT_MAX fields are read, one more is refused", () => {
    const fields = (count: number) => `GET / HTTP/1.1\r\nHost: a\r\n${"X: a\r\n".repeat(count - 1)}\r\n`;
    assert.equal(parse(fields(HEADER_COUNT_MAX)).outcome, HEAD_COMPLETE);
    assertFault(fields(HEADER_COUNT_MAX + 1), "head_too_large");
  });

  test("a target of TARGET_BYTES_MAX is read, one byte more is refused", () => {
    const target = (bytes: number) => `GET /${"a".repeat(bytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    assert.equal(parse(target(TARGET_BYTES_MAX)).outcome, HEAD_COMPLETE);
    assertFault(target(TARGET_BYTES_MAX + 1), "bad_request", /longer than/);
  });
});

describe("bytes as they come", () => {
  test("a head cut anywhere is partial before its end and then the same as whole", () => {
    const bytes = Buffer.from(COMMON, "latin1");
    const whole = parse(COMMON).head;
    const head = new RequestHead();
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.equal(head.parse(bytes, 0, cut), HEAD_PARTIAL, `cut at ${cut}`);
    }
    assert.equal(head.parse(bytes, 0, bytes.length), HEAD_COMPLETE);
    assert.deepEqual({ ...head }, { ...whole });
  });

  test("the verdict on any bytes is the same however they are cut, and reads nothing past the end", () => {
    fc.assert(
      fc.property(almostHead(), (text) => {
        const bytes = Buffer.from(text, "latin1");
        const whole = new RequestHead();
        const outcome = whole.parse(fenced(bytes, bytes.length), 0, bytes.length);
        const cutHead = new RequestHead();
        let cutOutcome = HEAD_PARTIAL;
        for (let cut = 0; cut <= bytes.length && cutOutcome === HEAD_PARTIAL; cut++) {
          cutOutcome = cutHead.parse(bytes, 0, cut);
        }
        assert.equal(cutOutcome, outcome);
        if (outcome === HEAD_COMPLETE) assert.deepEqual({ ...cutHead }, { ...whole });
        if (outcome === HEAD_FAULT) {
          assert.equal(cutHead.fault, whole.fault);
          assert.equal(cutHead.faultDetail, whole.faultDetail);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Heads put together from good and bad parts, so that most get far before something is wrong. */
function almostHead(): fc.Arbitrary<string> {
  const line = fc.constantFrom(
    "GET / HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.0\r\n",
    "GET http://h:1 HTTP/1.1\r\n",
    "GET / HTTP/2.0\r\n",
    "GET /%4 HTTP/1.1\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\n",
  );
  const field = fc.constantFrom(
    "Host: a\r\n",
    "Host: [::1]:80\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 05\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Expect: x\r\n",
    "Connection: close\r\n",
    "X: y\r\n",
    " fold\r\n",
    "Accept: application/json\r\n",
    "Prefer: ack=synced\r\n",
    "Content\rType: a\r\n",
    "Host\x1a a\r\n",
    "X: a\rb\r\n",
    "X: \x00\r\n",
  );
  const noise = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 6,
  });
  return fc
    .tuple(
      line,
      fc.array(fc.oneof({ arbitrary: field, weight: 8 }, { arbitrary: noise, weight: 1 }), { maxLength: 7 }),
      fc.constantFrom("\r\n", "\r\n", "\r\n", "", "\n", "\r"),
    )
    .map(([first, fields, last]) => first + fields.join("") + last);
}

/** The bytes behind a fence that throws where an index at or past the end is read. */
function fenced(bytes: Uint8Array, end: number): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        assert.ok(Number(key) < end, `index ${key} was read, the end is ${end}`);
      }
      return Reflect.get(target, key, target);
    },
  });
}

test("a GET without a body has no length and is not chunked", () => {
  const { head } = parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(head.method, METHOD_GET);
  assert.equal(head.contentLength, -1);
  assert.equal(head.isChunked, false);
});

test("mutated requests never throw, never reach past their end, and end where they say", () => {
  fuzz(3_000, 1);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX } from "../limits.ts";
import { CHUNKED_DONE, CHUNKED_FAULT, CHUNKED_MORE, CHUNKED_TOO_LARGE, ChunkedBody } from "./chunked-body.ts";

interface Decoded {
  outcome: number;
  body: string;
  consumed: number;
  detail: string;
}

/** Decodes text cut at these places, ascending. */
function decode(text: string, cuts: readonly number[] = [], bytesMax = 1_000_000): Decoded {
  const bytes = Buffer.from(text, "latin1");
  const out = Buffer.alloc(Math.min(bytes.length, bytesMax));
  const decoder = new ChunkedBody();
  let outEnd = 0;
  let outcome = CHUNKED_MORE;
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    outcome = decoder.decode(bytes, start, end, out, outEnd, bytesMax);
    outEnd = decoder.outEnd;
    start = decoder.consumedEnd;
    if (outcome !== CHUNKED_MORE) break;
    assert.equal(start, end);
  }
  return { outcome, body: out.toString("latin1", 0, outEnd), consumed: start, detail: decoder.faultDetail };
}

function assertFault(text: string, detail = /./): void {
  const decoded = decode(text);
  assert.equal(decoded.outcome, CHUNKED_FAULT, JSON.stringify(text));
  assert.match(decoded.detail, detail);
}

describe("a chunked body", () => {
  test("comes out whole, and what follows it is left alone", () => {
    const text = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    assert.deepEqual(decode(`${text}GET / HTTP/1.1`), {
      outcome: CHUNKED_DONE,
      body: "hello world",
      consumed: text.length,
      detail: "",
    });
    assert.equal(decode("0\r\n\r\n").outcome, CHUNKED_DONE);
    assert.equal(
      decode(`A\r\n0123456789\r\n0000000b\r\n0123456789a\r\n00\r\n\r\n`).body,
      "01234567890123456789a",
    );
  });

  test("is unfinished until the last byte of its last line", () => {
    const text = "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n";
    for (let length = 0; length < text.length; length++) {
      assert.equal(decode(text.slice(0, length)).outcome, CHUNKED_MORE, `${length} bytes`);
    }
    assert.equal(decode(text).outcome, CHUNKED_DONE);
  });

  test("may carry extensions of the grammar and no others", () => {
    for (const extension of [";a", ";a;b", ";a=b;c=d", ';a="b;c\\"\t\xe9 "', ';a="";b', ";!#$=~"]) {
      assert.equal(
        decode(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`).outcome,
        CHUNKED_DONE,
        extension,
      );
    }
    for (const extension of [
      ";",
      ";;a",
      ";=b",
      ";a=",
      ";a=b;",
      " ;a",
      "; a",
      ";a =b",
      ";a= b",
      ";a b",
      ';a="b',
      ';a="b"c',
      ';a="\x00"',
      ';a="\\\x01"',
      ";\x00a",
      ";a\rX",
      ";\n",
      ";a\n",
      ";a=\x7f",
    ]) {
      assertFault(`5${extension}\r\nhello\r\n0\r\n\r\n`);
    }
  });

  test("has sizes of 1 to 8 hex digits and exact line ends", () => {
    for (const text of [
      "\r\n",
      "0x5\r\n",
      "-1\r\n",
      "+5\r\n",
      " 5\r\n",
      "5 \r\n",
      "1_0\r\n",
      "g\r\n",
      "000000005\r\n",
      "FFFFFFFFFFFFFFFF0\r\n",
      "5\n",
      "5\rhello",
      "5\r\nhello0",
      "5\r\nhello\n0",
      "5\r\nhello\rX",
      "5\r\nhello!!\r\n",
      "0\r\n\n",
      "0\r\n\rX",
    ]) {
      assertFault(text);
    }
  });

  test("has trailers that are fields, which are ignored", () => {
    assert.equal(decode("1\r\na\r\n0\r\nX-Sum: abc\r\nContent-Length: 50\r\nY:\r\n\r\n").body, "a");
    for (const trailer of [
      "X : a\r\n",
      " X: a\r\n",
      ": a\r\n",
      "X\r\n",
      "X: a\n",
      "X: a\rb",
      "X: \x00\r\n",
      "X: a\r\n b\r\n",
    ]) {
      assertFault(`0\r\n${trailer}\r\n`);
    }
  });
});

describe("the bounds of a chunked body", () => {
  test("a size past what is allowed is refused before any of its bytes", () => {
    assert.equal(decode("5\r\nhello\r\n0\r\n\r\n", [], 5).body, "hello");
    assert.equal(decode("6\r\n", [], 5).outcome, CHUNKED_TOO_LARGE);
    assert.equal(decode("FFFFFFFF\r\n", [], 5).outcome, CHUNKED_TOO_LARGE);
    assert.equal(decode("3\r\nabc\r\n3\r\n", [], 5).outcome, CHUNKED_TOO_LARGE);
  });

  test("a size line of CHUNK_LINE_BYTES_MAX is read, one byte more is refused", () => {
    const line = (bytes: number) => `0;${"a".repeat(bytes - 4)}\r\n`;
    assert.equal(decode(`${line(CHUNK_LINE_BYTES_MAX)}\r\n`).outcome, CHUNKED_DONE);
    assertFault(`${line(CHUNK_LINE_BYTES_MAX + 1)}\r\n`, /longer than/);
  });

  test("a trailer section of TRAILER_BYTES_MAX is read, one byte more is refused", () => {
    const trailers = (bytes: number) => `0\r\nX:${"a".repeat(bytes - 6)}\r\n\r\n`;
    assert.equal(decode(trailers(TRAILER_BYTES_MAX)).outcome, CHUNKED_DONE);
    assertFault(trailers(TRAILER_BYTES_MAX + 1), /longer than/);
  });

  test("without an output the bytes are counted and bounded all the same", () => {
    const decoder = new ChunkedBody();
    const bytes = Buffer.from("5\r\nhello\r\n0\r\n\r\n");
    assert.equal(decoder.decode(bytes, 0, bytes.length, null, 0, 5), CHUNKED_DONE);
    assert.equal(decoder.outEnd, 5);
    decoder.reset();
    assert.equal(decoder.decode(bytes, 0, bytes.length, null, 0, 4), CHUNKED_TOO_LARGE);
  });
});

describe("any cut of a chunked body", () => {
  test("gives the same body and verdict as the whole", () => {
    const chunk = fc
      .tuple(fc.string({ minLength: 1, maxLength: 200 }), fc.constantFrom("", ";a", ';a="b c"'))
      .map(([text, extension]) => {
        const bytes = Buffer.from(text, "utf8").toString("latin1");
        return `${bytes.length.toString(16)}${extension}\r\n${bytes}\r\n`;
      });
    const noise = fc.constantFrom("", "", "", "", "x", "\r", "\n", "5", ";");
    const texts = fc
      .tuple(
        fc.array(chunk, { maxLength: 5 }),
        noise,
        fc.constantFrom("0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\n", "0;\r\n"),
      )
      .map(([chunks, wrong, last]) => chunks.join("") + wrong + last);
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 8 }), (text, places) => {
        const cuts = places.map((place) => place % (text.length + 1)).sort((a, b) => a - b);
        assert.deepEqual(decode(text, cuts), decode(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("may be decoded into the buffer it came in", () => {
    const body = "abcdefghij".repeat(30);
    const text = `3\r\nxyz\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const bytes = Buffer.from(text, "latin1");
    const decoder = new ChunkedBody();
    assert.equal(decoder.decode(bytes, 0, bytes.length, bytes, 0, bytes.length), CHUNKED_DONE);
    assert.equal(bytes.toString("latin1", 0, decoder.outEnd), `xyz${body}`);
  });
});

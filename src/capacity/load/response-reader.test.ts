import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FAULT, MORE, ResponseReader } from "./response-reader.ts";

interface Case {
  readonly name: string;
  readonly text: string;
  readonly status: number;
  readonly closes?: boolean;
  readonly isForHead?: boolean;
}

const WHOLE: readonly Case[] = [
  { name: "a body with a length", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200 },
  {
    name: "any case, tabs and spaces around the length",
    text: "HTTP/1.1 201 Created\r\ncOnTent-LENGTH:\t 3 \t\r\n\r\nabc",
    status: 201,
  },
  { name: "an empty body", text: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", status: 404 },
  { name: "no reason", text: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", status: 200 },
  { name: "bare line feeds", text: "HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nok", status: 200 },
  {
    name: "names that begin like those that count",
    text: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Lengthy: 9\r\nConnect: close\r\nConnections: close\r\nTransfer: chunked\r\nC: 1\r\nT: 2\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
  },
  {
    name: "the same length twice",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
  },
  {
    name: "chunks with extensions and trailers",
    text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA ; x=y\r\n0123456789\r\n000\r\nContent-Length: 7\r\nX: y\r\n\r\n",
    status: 200,
  },
  {
    name: "chunked behind another coding, and beside a length",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    status: 200,
  },
  {
    name: "204, whatever it says",
    text: "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
    status: 204,
  },
  {
    name: "304, whatever it says",
    text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    status: 304,
  },
  {
    name: "HEAD, whatever it says",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    status: 200,
    isForHead: true,
  },
  {
    name: "interim answers before the one that counts",
    text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
  },
  {
    name: "another protocol from here on",
    text: "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    status: 101,
    closes: true,
  },
  {
    name: "Connection: close",
    text: "HTTP/1.1 503 Busy\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nno",
    status: 503,
    closes: true,
  },
  {
    name: "Connection: closed, which is another word",
    text: "HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n",
    status: 200,
  },
  {
    name: "HTTP/1.0, which closes",
    text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
    closes: true,
  },
  {
    name: "HTTP/1.0 that keeps alive",
    text: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
  },
];

const FAULTS: Readonly<Record<string, string>> = {
  "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
  "HTTP/2": "HTTP/2.0 200 OK\r\n\r\n",
  "no version": "HTTP/1.x 200 OK\r\n\r\n",
  "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
  "a status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
  "a status below 100": "HTTP/1.1 099 Low\r\n\r\n",
  "a length that is none": "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
  "a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
  "an empty length": "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
  "a length in two words": "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
  "a list of lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
  "lengths that differ": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "a length past all numbers": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
  "a chunk size that is none": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
  "a chunk without a size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
  "a chunk that goes on": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
  "a lone carriage return behind the head": "HTTP/1.1 200 OK\r\n\rX",
  "a head without an end": `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}`,
};

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What the reader says to these pieces one after another: the statuses, in order, or FAULT. */
function readAll(reader: ResponseReader, pieces: readonly Uint8Array[]): number[] {
  const said: number[] = [];
  for (const piece of pieces) {
    let offset = 0;
    while (offset < piece.length) {
      const next = reader.read(piece, offset);
      if (next === MORE) break;
      if (next === FAULT) return [...said, FAULT];
      assert.ok(next >= offset && next <= piece.length, `${next} is outside of what was read`);
      said.push(reader.status);
      offset = next;
    }
  }
  return said;
}

describe("an answer", () => {
  for (const { name, text, status, closes = false, isForHead = false } of WHOLE) {
    test(`ends where it ends, however it is cut: ${name}`, () => {
      const bytes = bytesOf(text);
      const reader = new ResponseReader(isForHead);
      for (let cut = 0; cut < bytes.length; cut++) {
        assert.deepEqual(
          readAll(reader, [bytes.subarray(0, cut), bytes.subarray(cut)]),
          [status],
          `cut at ${cut}`,
        );
        assert.equal(reader.closes, closes);
        assert.equal(reader.isBetween, true);
      }
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assert.deepEqual(readAll(reader, single), [status]);
      assert.equal(reader.closes, closes);
    });

    test(`leaves what follows it alone: ${name}`, () => {
      const bytes = bytesOf(`${text}HTTP/1.1 299 Next\r\n`);
      const reader = new ResponseReader(isForHead);
      assert.equal(reader.read(bytes, 0), bytes.length - "HTTP/1.1 299 Next\r\n".length);
    });
  }

  test("without a length ends with the connection", () => {
    const reader = new ResponseReader(false);
    assert.equal(reader.read(bytesOf("HTTP/1.1 200 OK\r\n\r\nhello"), 0), MORE);
    assert.equal(reader.read(bytesOf("more"), 0), MORE);
    assert.equal(reader.isBetween, false);
    assert.equal(reader.end(), true);
    assert.equal(reader.status, 200);
    assert.equal(reader.closes, true);
  });

  test("is not whole when the connection ends within it", () => {
    for (const part of ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ""]) {
      const reader = new ResponseReader(false);
      if (part !== "") assert.equal(reader.read(bytesOf(part), 0), MORE);
      assert.equal(reader.end(), false);
    }
  });

  for (const [name, text] of Object.entries(FAULTS)) {
    test(`is no HTTP/1 with ${name}`, () => {
      const bytes = bytesOf(text);
      assert.deepEqual(readAll(new ResponseReader(false), [bytes]), [FAULT]);
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      const reader = new ResponseReader(false);
      assert.deepEqual(readAll(reader, single), [FAULT]);
      assert.equal(reader.read(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0), FAULT);
      reader.reset();
      assert.equal(reader.read(bytesOf("HTTP/1.1 204 No\r\n\r\n"), 0), 19);
    });
  }
});

describe("answers on one connection", () => {
  test("are told apart in any pieces", () => {
    const cases = WHOLE.filter(({ isForHead }) => isForHead !== true);
    const answers = fc.array(fc.constantFrom(...cases), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(answers, fc.array(fc.nat(400), { maxLength: 12 }), (list, cuts) => {
        const bytes = bytesOf(list.map(({ text }) => text).join(""));
        const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
        const pieces = [0, ...places].map((from, index) =>
          bytes.subarray(from, places[index] ?? bytes.length),
        );
        assert.deepEqual(
          readAll(new ResponseReader(false), pieces),
          list.map(({ status }) => status),
        );
      }),
    );
  });

  test("that are noise end in a fault or are waited for, and never throw or run past their bytes", () => {
    const noise = fc.array(
      fc.oneof(
        fc.constantFrom(
          "HTTP/1.1 200 OK\r\n",
          "Content-Length: 3\r\n",
          "Transfer-Encoding: chunked\r\n",
          "\r\n",
          "3\r\n",
          "0\r\n",
          "abc",
        ),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(noise, fc.nat(50), (parts, cut) => {
        const bytes = bytesOf(parts.join(""));
        const whole = readAll(new ResponseReader(false), [bytes]);
        assert.deepEqual(
          readAll(new ResponseReader(false), [bytes.subarray(0, cut), bytes.subarray(cut)]),
          whole,
        );
      }),
    );
  });
});

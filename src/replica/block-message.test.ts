// A block on its way through the stream: what goes in comes out, and what was changed on the way is noticed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Block, decodeBlock, encodeBlock } from "./block-message.ts";

const ORIGIN = "00000000000000aa";
const block: fc.Arbitrary<Block> = fc
  .record({
    lane: fc.nat(255),
    from: fc.nat(1_000_000),
    gap: fc.nat(50),
    lines: fc.array(
      fc.string({ maxLength: 200 }).map((text) => JSON.stringify(text)),
      { maxLength: 20 },
    ),
  })
  .filter(({ gap, lines }) => gap + lines.length > 0)
  .map(({ lane, from, gap, lines }) => ({
    origin: ORIGIN,
    lane,
    from,
    first: from + gap,
    end: from + gap + lines.length,
    bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")),
  }));

function plain(found: Block | string): unknown {
  return typeof found === "string" ? found : { ...found, bytes: Buffer.from(found.bytes).toString("latin1") };
}

function lines(count: number): Block {
  const bytes = Buffer.from(Array.from({ length: count }, (_, line) => `{"n":${line}}\n`).join(""));
  return { origin: ORIGIN, lane: 3, from: 10, first: 12, end: 12 + count, bytes };
}

describe("a block as a message", () => {
  test("is the same block when it is read", () => {
    fc.assert(
      fc.property(block, (sent) => {
        const { header, payload } = encodeBlock(sent);
        assert.deepEqual(plain(decodeBlock(header, payload)), plain(sent));
      }),
    );
  });

  test("has the form that is written down: what is stored by one version is read by the next", () => {
    const { id, header, payload } = encodeBlock(lines(2));
    assert.equal(id, "00000000000000aa.3.10.14");
    assert.equal(header, "1 00000000000000aa 3 10 12 14 16 7d50a7dc");
    assert.deepEqual([...payload.subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd], "a Zstandard frame");
  });

  test("has no payload where it has no lines, and still covers its numbers", () => {
    const { header, payload } = encodeBlock({ ...lines(0), end: 12 });
    assert.equal(payload.length, 0);
    assert.deepEqual(plain(decodeBlock(header, payload)), { ...lines(0), bytes: "" });
  });

  test("is never read as another one, whichever byte of its payload is changed", () => {
    const sent = lines(40);
    const { header, payload } = encodeBlock(sent);
    for (let at = 0; at < payload.length; at++)
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(payload);
        changed[at]! ^= change;
        const found = decodeBlock(header, changed);
        if (typeof found !== "string") assert.deepEqual(plain(found), plain(sent), `byte ${at}`);
      }
    for (let length = 0; length < payload.length; length++)
      assert.equal(
        typeof decodeBlock(header, payload.subarray(0, length)),
        "string",
        `${length} bytes of it`,
      );
  });

  test("is refused where its header's form, size, checksum or number of lines is changed", () => {
    const sent = lines(40);
    const { header, payload } = encodeBlock(sent);
    const parts = header.split(" ");
    for (let part = 0; part < parts.length; part++) {
      const without = parts.filter((_, at) => at !== part).join(" ");
      assert.equal(typeof decodeBlock(without, payload), "string");
    }
    for (const part of [5, 6, 7]) {
      const text = parts[part]!;
      for (let at = 0; at < text.length; at++)
        for (const digit of "0123456789") {
          if (text[at] === digit) continue;
          const changed = parts.with(part, text.slice(0, at) + digit + text.slice(at + 1)).join(" ");
          assert.equal(typeof decodeBlock(changed, payload), "string", changed);
        }
    }
  });

  const refused: Record<string, [header: string, payload: Uint8Array, why: RegExp]> = (() => {
    const { header, payload } = encodeBlock(lines(2));
    const replaced = (from: string, to: string) => header.replace(from, to);
    const huge = encodeBlock({ ...lines(2), bytes: Buffer.from("x".repeat(100)) });
    return {
      "no header": ["", payload, /has no Tidemark-Block header/],
      "another version": [`2${header.slice(1)}`, payload, /is of version 2 and this program reads version 1/],
      "an origin that is none": [replaced(ORIGIN, "xyz"), payload, /has no Tidemark-Block header/],
      "numbers that go backwards": [replaced(" 10 12 14 ", " 12 10 14 "), payload, /covers no numbers/],
      "an end before its first line": [replaced(" 12 14 ", " 14 12 "), payload, /covers no numbers/],
      "no numbers at all": [replaced(" 10 12 14 ", " 12 12 12 "), payload, /covers no numbers/],
      "numbers past what can be counted": [replaced(" 14 ", ` ${2 ** 60} `), payload, /covers no numbers/],
      "a size past every line": [replaced(" 16 ", " 99999999999 "), payload, /covers no numbers/],
      "a payload that is none": [header, Buffer.from("not a frame"), /does not decompress/],
      "a bomb": [replaced(" 16 ", " 15 "), payload, /does not decompress to what it says/],
      "lines where it says none": [replaced(" 12 14 16 ", " 14 14 0 "), payload, /does not decompress/],
      "another checksum": [header.replace(/.{8}$/, "00000000"), payload, /is damaged: its checksum differs/],
      "a last line that is not whole": [huge.header, huge.payload, /another number of lines/],
    };
  })();
  for (const [what, [header, payload, why]] of Object.entries(refused)) {
    test(`with ${what} it is refused, and says why`, () => {
      const found = decodeBlock(header, payload);
      assert.match(String(found), why);
    });
  }
});

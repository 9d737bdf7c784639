import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { REFUSAL } from "../errors.ts";
import { ZSTD_WINDOW_LOG_MAX } from "../limits.ts";
import { decompress } from "./content-coding.ts";
import { CODING_DEFLATE, CODING_GZIP, CODING_ZSTD } from "./field-values.ts";

const TEXT = Buffer.from('{"metrics":[{"name":"cpu_usage","value":75.5}]}'.repeat(40));
const STREAMS = [
  { name: "gzip", coding: CODING_GZIP, compress: (bytes: Uint8Array): Buffer => gzipSync(bytes) },
  {
    name: "deflate in zlib format",
    coding: CODING_DEFLATE,
    compress: (bytes: Uint8Array): Buffer => deflateSync(bytes),
  },
  {
    name: "raw deflate",
    coding: CODING_DEFLATE,
    compress: (bytes: Uint8Array): Buffer => deflateRawSync(bytes),
  },
  { name: "zstd", coding: CODING_ZSTD, compress: (bytes: Uint8Array): Buffer => zstdCompressSync(bytes) },
  {
    name: "zstd with a checksum",
    coding: CODING_ZSTD,
    compress: (bytes: Uint8Array): Buffer =>
      zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  },
];

function assertBody(outcome: Uint8Array | number, body: Uint8Array): void {
  assert.ok(typeof outcome !== "number", `refused: ${outcome}`);
  assert.ok(Buffer.from(outcome).equals(body));
}

for (const { name, coding, compress } of STREAMS) {
  describe(name, () => {
    const stream = compress(TEXT);

    test("gives back what was compressed", () => {
      assertBody(decompress(coding, stream, TEXT.length * 2), TEXT);
      assertBody(decompress(coding, compress(Buffer.alloc(0)), 10), Buffer.alloc(0));
      const random = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) >> 7));
      assertBody(decompress(coding, compress(random), random.length), random);
    });

    test("is bounded by the bytes that come out", () => {
      assertBody(decompress(coding, stream, TEXT.length), TEXT);
      assert.equal(decompress(coding, stream, TEXT.length - 1), REFUSAL.length);
      assert.equal(decompress(coding, compress(Buffer.alloc(20_000_000)), 1_000_000), REFUSAL.length);
    });

    test("is corrupt when it is cut anywhere", () => {
      for (let length = 0; length < stream.length; length++) {
        assert.equal(
          decompress(coding, stream.subarray(0, length), 1_000_000),
          REFUSAL.content_corrupt,
          `${length}`,
        );
      }
    });

    test("is corrupt when anything follows it", () => {
      for (const rest of ["x", "\0", "\0\0\0\0\0\0\0\0"]) {
        const bytes = Buffer.concat([stream, Buffer.from(rest)]);
        assert.equal(decompress(coding, bytes, 1_000_000), REFUSAL.content_corrupt, JSON.stringify(rest));
      }
    });

    test("is corrupt when it is something else", () => {
      assert.equal(decompress(coding, Buffer.from("{not compressed}"), 1_000_000), REFUSAL.content_corrupt);
      assert.equal(decompress(coding, TEXT, 1_000_000), REFUSAL.content_corrupt);
    });

    test("never throws, whatever byte is flipped", () => {
      for (let index = 0; index < stream.length; index++) {
        const flipped = Buffer.from(stream);
        flipped[index] ^= 1 << (index % 8);
        const outcome = decompress(coding, flipped, 1_000_000);
        assert.ok(
          outcome instanceof Uint8Array || outcome === REFUSAL.content_corrupt || outcome === REFUSAL.length,
        );
      }
    });
  });
}

test("two zstd frames in a row are corrupt on either runtime", () => {
  const frame = zstdCompressSync(TEXT);
  assert.equal(decompress(CODING_ZSTD, Buffer.concat([frame, frame]), 1_000_000), REFUSAL.content_corrupt);
});

test("a zstd window past the bound is refused, whatever its content", () => {
  const frame = zstdCompressSync(Buffer.alloc(1000, "abc"));
  const wide = Buffer.from([
    ...frame.subarray(0, 4),
    0x00,
    (ZSTD_WINDOW_LOG_MAX + 1 - 10) << 3,
    // one last raw block of 3 bytes
    0x19,
    0x00,
    0x00,
    0x61,
    0x62,
    0x63,
  ]);
  assert.equal(decompress(CODING_ZSTD, wide, 1_000_000), REFUSAL.content_corrupt);
  wide[5] = (ZSTD_WINDOW_LOG_MAX - 10) << 3;
  assertBody(decompress(CODING_ZSTD, wide, 1_000_000), Buffer.from("abc"));
});

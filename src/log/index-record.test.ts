import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  blankIndexRecord,
  encodeIndexRecord,
  INDEX_RECORD_BYTES,
  tryDecodeIndexRecord,
} from "./index-record.ts";

const bytes = new Uint8Array(INDEX_RECORD_BYTES);
const view = new DataView(bytes.buffer);
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const whole = fc.maxSafeNat();
const time = fc.integer({ min: -8.64e15, max: 8.64e15 });

const records = fc.record(
  {
    offset: whole,
    length: word,
    crc: word,
    lines: word,
    timestampMsEarliest: time,
    timestampMsLatest: time,
  },
  { noNullPrototype: true },
);

test("a record reads back as it was written", () => {
  fc.assert(
    fc.property(whole, records, (sequence, record) => {
      encodeIndexRecord(bytes, view, 0, sequence, record);
      const read = blankIndexRecord();
      assert.ok(tryDecodeIndexRecord(bytes, view, 0, sequence, read));
      assert.deepEqual(read, record);
    }),
  );
});

test("a record with any bit changed is none, nor is it one of another segment", () => {
  fc.assert(
    fc.property(whole, records, fc.nat({ max: INDEX_RECORD_BYTES * 8 - 1 }), (sequence, record, bit) => {
      encodeIndexRecord(bytes, view, 0, sequence, record);
      assert.equal(tryDecodeIndexRecord(bytes, view, 0, sequence + 1, blankIndexRecord()), false);
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
      assert.equal(tryDecodeIndexRecord(bytes, view, 0, sequence, blankIndexRecord()), false);
    }),
  );
});

test("zeros are no record", () => {
  bytes.fill(0);
  assert.equal(tryDecodeIndexRecord(bytes, view, 0, 0, blankIndexRecord()), false);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  bytesText,
  coarseShareText,
  countText,
  dateText,
  durationText,
  gainText,
  msText,
  msUnitText,
  parameterText,
  partText,
  plainLine,
  plainText,
  rateText,
  rateUnitText,
  settingText,
  shareText,
} from "./figures.ts";

const ALL = [
  bytesText,
  coarseShareText,
  countText,
  durationText,
  gainText,
  msText,
  msUnitText,
  parameterText,
  rateText,
  rateUnitText,
  shareText,
];

describe("figures", () => {
  test("rates are grouped, and fractions are kept where they matter", () => {
    assert.deepEqual([0, 7.25, 99.96, 100.4, 21_040, 1_234_567.8].map(rateText), [
      "0",
      "7.3",
      "100.0",
      "100",
      "21,040",
      "1,234,568",
    ]);
  });

  test("milliseconds keep three figures that count", () => {
    assert.deepEqual([0, 0.0004, 0.0123, 0.41, 1.456, 37.41, 135.2, 12_345].map(msText), [
      "0",
      "< 0.001",
      "0.012",
      "0.410",
      "1.46",
      "37.4",
      "135",
      "12,345",
    ]);
  });

  test("a share is never rounded to all or to nothing", () => {
    assert.deepEqual([1, 0.9951, 0.6408, 0.99999, 0.000001, 0].map(shareText), [
      "100 %",
      "99.51 %",
      "64.08 %",
      "> 99.99 %",
      "< 0.01 %",
      "0 %",
    ]);
    assert.deepEqual([1, 0.997, 0.41, 0.002, 0].map(coarseShareText), [
      "100 %",
      "> 99 %",
      "41 %",
      "< 1 %",
      "0 %",
    ]);
  });

  test("gains, bytes, times and small parameters", () => {
    assert.deepEqual(
      [0.0001, 0.031, 0.356, 0, null].map((part) => partText(part, 0.356)),
      ["< 0.1 %", "8.7 %", "100 %", "0 %", "unknown"],
    );
    assert.equal(gainText(1.7), "×1.70");
    assert.equal(bytesText(8_340_373_504), "7.8 GiB");
    assert.equal(bytesText(512), "512 B");
    assert.equal(durationText(164.2), "2 min 44 s");
    assert.equal(durationText(0.4), "0.4 s");
    assert.equal(parameterText(0.0000062), "6.2 × 10⁻⁶");
    assert.equal(parameterText(0.1128), "0.113");
    assert.equal(dateText("2025-11-23T16:02:11.000Z"), "2025-11-23 16:02 UTC");
    assert.equal(dateText("yesterday"), "yesterday");
    assert.equal(settingText({ deep: ["a", null] }), '{"deep":["a",null]}');
  });

  test("what is not a finite number is unknown", () => {
    for (const text of ALL)
      for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
        assert.equal(text(value), "unknown", text.name);
  });

  test("no number at all becomes a text that is no figure", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e12, max: 1e12 }), (value) => {
        for (const text of ALL) assert.doesNotMatch(text(value), /NaN|undefined|null|Infinity|^$/, text.name);
      }),
    );
  });

  test("texts lose what steers a terminal or turns the direction of writing", () => {
    assert.equal(plainLine("a\u001b[31mb\u202e\u0000c\r\n  d\te"), "a[31mbc d  e");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const plain = plainText(text);
        for (const letter of plain) {
          const code = letter.codePointAt(0)!;
          assert.ok(code === 10 || (code >= 32 && (code < 127 || code > 159)), `U+${code.toString(16)}`);
        }
        assert.equal(plainText(plain), plain);
        assert.ok(!plainLine(text).includes("\n"));
      }),
    );
  });
});

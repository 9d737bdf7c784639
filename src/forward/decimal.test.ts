// Numbers are exactly what JSON.parse makes of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decimalAt } from "./decimal.ts";

function check(text: string): void {
  const bytes = Buffer.from(`,${text},`);
  assert.ok(Object.is(decimalAt(bytes, 1, 1 + text.length), JSON.parse(text)), text);
}

test("numbers of every form are the same double as JSON.parse gives", () => {
  for (const text of [
    ..."0 -0 1 -1 75.5 0.1 -0.001 123456789012345 1234567890123456 999999999999999.9 0.30000000000000004".split(
      " ",
    ),
    ..."1e3 1E-3 -2.5e+10 1e308 5e-324 1.7976931348623157e308 0.000000000000000000000000001 9007199254740993".split(
      " ",
    ),
    "0.1234567890123456789",
    "123456.7890123456789",
  ])
    check(text);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => check(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.nat(25), (digits, point) => {
      const text = digits.toString().padStart(point + 1, "0");
      check(point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`);
    }),
  );
});

test("what is no number is none", () => {
  for (const text of ["", "-", "x", "1x", "1.2.3", "1e"])
    assert.ok(Number.isNaN(decimalAt(Buffer.from(text), 0, text.length)), text);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TidemarkError } from "../errors.ts";
import {
  readCount,
  readDurationMs,
  readHeader,
  readHttpUrl,
  readMethod,
  readOnOff,
  readRate,
} from "./flag-values.ts";

function refusalOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof TidemarkError);
    assert.equal(error.exitCode, 2);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail("nothing was refused");
}

describe("a flag's value", () => {
  test("a whole number is read within its bounds and refused outside them", () => {
    assert.equal(readCount("--clients", "1", 1, 10), 1);
    assert.equal(readCount("--clients", "10", 1, 10), 10);
    for (const text of ["0", "11", "1.5", "-1", "", "1e1", "0x5", "ten", "99999999999999999"])
      assert.match(
        refusalOf(() => readCount("--clients", text, 1, 10)),
        /--clients .* from 1 to 10/,
      );
  });

  test("a rate may have a fraction but must be above 0", () => {
    assert.equal(readRate("--rate", "0.5", 100), 0.5);
    assert.equal(readRate("--rate", "100", 100), 100);
    for (const text of ["0", "0.0", "101", "-1", "1e2", "NaN", "Infinity"])
      assert.match(
        refusalOf(() => readRate("--rate", text, 100)),
        /--rate/,
      );
  });

  test("a time has a unit", () => {
    const read = (text: string) => readDurationMs("--pace", text, 1, 60_000);
    assert.deepEqual(["1ms", "100ms", "1.5s", "1m"].map(read), [1, 100, 1500, 60_000]);
    for (const text of ["100", "0ms", "61s", "1 s", "s", "1d", "-1s"])
      assert.match(
        refusalOf(() => read(text)),
        /--pace .* such as 100ms/,
      );
  });

  test("on and off are the only switches", () => {
    assert.equal(readOnOff("--keep-alive", "on"), true);
    assert.equal(readOnOff("--keep-alive", "off"), false);
    assert.match(
      refusalOf(() => readOnOff("--keep-alive", "true")),
      /must be on or off/,
    );
  });

  test("a method is a token, and CONNECT is no request", () => {
    assert.equal(readMethod("--method", "PURGE"), "PURGE");
    assert.equal(readMethod("--method", "get"), "get");
    for (const text of ["", "A B", "GET\r\nX", "CONNECT"]) refusalOf(() => readMethod("--method", text));
  });

  test("a header cannot smuggle a second one", () => {
    assert.deepEqual(readHeader("--header", "X-Key:  a b "), ["X-Key", "a b"]);
    assert.deepEqual(readHeader("--header", "X-Empty:"), ["X-Empty", ""]);
    for (const text of ["X-Key", "X Key: a", ": a", "X-Key: a\r\nX-Other: b", "X-Key: a\nb", "X-Key: \u0000"])
      refusalOf(() => readHeader("--header", text));
  });

  test("a URL is http and absolute; https and secrets in it are refused with what to do", () => {
    assert.equal(readHttpUrl("--url", "http://127.0.0.1:80"), "http://127.0.0.1/");
    assert.equal(readHttpUrl("--url", "http://[::1]:8080/a?b=c"), "http://[::1]:8080/a?b=c");
    assert.match(
      refusalOf(() => readHttpUrl("--url", "https://x/")),
      /TLS/,
    );
    assert.match(
      refusalOf(() => readHttpUrl("--url", "http://a:b@x/")),
      /--header/,
    );
    for (const text of ["", "x", "/metrics", "ftp://x/", "http://"])
      refusalOf(() => readHttpUrl("--url", text));
  });

  test("a long value is shown bounded", () => {
    assert.ok(refusalOf(() => readCount("--clients", "9".repeat(5000), 1, 10)).length < 300);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TidemarkError } from "../../errors.ts";
import { type LoadFlags, readLoadFlags } from "./load-flags.ts";

const FILE = new TextEncoder().encode("file");

function read(flags: LoadFlags) {
  return readLoadFlags(flags, (path) => {
    if (path === "missing") throw new Error("ENOENT: no such file");
    return FILE;
  });
}

function assertRefused(flags: LoadFlags, text: RegExp): void {
  assert.throws(
    () => read(flags),
    (error: unknown) => {
      assert.ok(error instanceof TidemarkError);
      assert.match(error.message, text);
      assert.match(error.message, /^cannot (use|read) --/);
      assert.equal(error.exitCode, 2);
      return true;
    },
  );
}

describe("load's command line", () => {
  test("without flags sends made-up batches to a Tidemark on this machine for 10 s", () => {
    const { plan, warmUpSeconds, hgrm, isJson } = read({});
    assert.equal(warmUpSeconds, 0);
    const { bodies, ...rest } = plan;
    assert.equal(bodies.length, 256);
    assert.deepEqual(rest, {
      url: "http://127.0.0.1:8080/metrics",
      method: "POST",
      headers: [["Content-Type", "application/json"]],
      clients: 50,
      threads: 1,
      arrivals: { kind: "closed", paceMs: 0 },
      stop: { kind: "seconds", seconds: 10 },
      keepAlive: true,
      pipeline: 1,
      timeoutMs: 5000,
      namesClients: true,
      rampMs: 0,
      seed: 1,
    });
    assert.equal(hgrm, null);
    assert.equal(isJson, false);
  });

  test("has no body and no names for a GET, and the file's bytes for a payload", () => {
    const get = read({ method: "GET" }).plan;
    assert.deepEqual([get.bodies, get.headers, get.namesClients], [[], [], false]);
    const file = read({ payload: "x.json", header: ["A: b", "C:d"] }).plan;
    assert.deepEqual(file.bodies, [FILE]);
    assert.deepEqual(file.headers, [
      ["A", "b"],
      ["C", "d"],
    ]);
    assert.equal(file.namesClients, false);
    assert.equal(read({ payload: "x.json", clientIds: "on" }).plan.namesClients, true);
  });

  test("keeps a content type that was given", () => {
    assert.deepEqual(read({ header: ["content-type: text/x"] }).plan.headers, [["content-type", "text/x"]]);
  });

  test("reads a rate, a ramp, a pace and a number of requests", () => {
    assert.deepEqual(read({ rate: "2.5" }).plan.arrivals, {
      kind: "open",
      ratePerSecond: 2.5,
      rateEndPerSecond: 2.5,
    });
    assert.deepEqual(read({ rate: "100", rateEnd: "900" }).plan.arrivals, {
      kind: "open",
      ratePerSecond: 100,
      rateEndPerSecond: 900,
    });
    const paced = read({ pace: "100ms", requests: "50", clients: "20" }).plan;
    assert.deepEqual(paced.arrivals, { kind: "closed", paceMs: 100 });
    assert.deepEqual(paced.stop, { kind: "requests-each", requests: 50, secondsMax: 86_400 });
  });

  test("has no more threads than clients", () => {
    assert.equal(read({ clients: "1", threads: "1" }).plan.threads, 1);
    assertRefused({ clients: "2", threads: "4" }, /--threads 4 because there are only 2 --clients/);
  });

  const refused: readonly (readonly [LoadFlags, RegExp])[] = [
    [{ url: "https://127.0.0.1/" }, /--url .* does not speak TLS/],
    [{ url: "ftp://127.0.0.1/" }, /--url/],
    [{ url: "metrics" }, /--url/],
    [{ clients: "0" }, /--clients "0" because it must be a whole number from 1 to/],
    [{ clients: "many" }, /--clients/],
    [{ duration: "10" }, /--duration "10" because it must be a time/],
    [{ duration: "1ms" }, /--duration/],
    [{ rate: "0" }, /--rate/],
    [{ rate: "-5" }, /--rate/],
    [{ pipeline: "0" }, /--pipeline/],
    [{ keepAlive: "yes" }, /--keep-alive "yes" because it must be on or off/],
    [{ method: "GET IT" }, /--method/],
    [{ header: ["no colon"] }, /--header/],
    [{ header: ["A: b\r\nC: d"] }, /--header/],
    [{ payload: "missing" }, /--payload missing because ENOENT/],
    [{ timeout: "0ms" }, /--timeout/],
    [{ seed: "x" }, /--seed/],
    [{ batch: "0" }, /--batch/],
    [{ duration: "1s", requests: "5" }, /--duration with --requests/],
    [{ rate: "1", pace: "1s" }, /--rate with --pace/],
    [{ rate: "1", requests: "5" }, /--requests with --rate/],
    [{ rateEnd: "5" }, /--rate-end without --rate/],
    [{ rate: "5", ramp: "1s" }, /--ramp with --rate/],
    [{ warmUp: "1" }, /--warm-up/],
    [{ pace: "5s", ramp: "1s" }, /--ramp with --pace/],
    [{ payload: "x", batch: "5" }, /--batch with --payload/],
    [{ keepAlive: "off", pipeline: "4" }, /--pipeline with --keep-alive off/],
  ];
  for (const [flags, text] of refused) {
    test(`refuses ${JSON.stringify(flags)}`, () => assertRefused(flags, text));
  }
});

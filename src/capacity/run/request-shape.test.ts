import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TargetFacts } from "../level.ts";
import { type AskedRequest, shapeRequest } from "./request-shape.ts";

const BATCH = new Uint8Array([1]);
const BODY = new Uint8Array([2]);
const NOTHING: AskedRequest = { method: null, headers: [], bodies: null };
const target = (isTidemark: boolean, url = "http://127.0.0.1:1/"): TargetFacts => ({
  url,
  isOwn: false,
  isTidemark,
  isLocal: true,
  isLoopback: true,
  pid: null,
  software: null,
  settings: null,
});
const shape = (facts: TargetFacts, asked: Partial<AskedRequest> = {}) =>
  shapeRequest(facts, { ...NOTHING, ...asked }, () => [BATCH]);

describe("what a run sends", () => {
  test("to a Tidemark are batches to /metrics, each connection a client of its own", () => {
    assert.deepEqual(shape(target(true)), {
      url: "http://127.0.0.1:1/metrics",
      method: "POST",
      headers: [["Content-Type", "application/json"]],
      bodies: [BATCH],
      namesClients: true,
    });
    assert.equal(shape(target(true, "http://127.0.0.1:1/elsewhere")).url, "http://127.0.0.1:1/elsewhere");
  });

  test("to a Tidemark with a payload is that payload, as JSON unless a header says otherwise", () => {
    const own = shape(target(true), { bodies: [BODY] });
    assert.deepEqual([own.bodies, own.namesClients], [[BODY], true]);
    assert.deepEqual(own.headers, [["Content-Type", "application/json"]]);
    const typed = shape(target(true), { bodies: [BODY], headers: [["content-type", "text/plain"]] });
    assert.deepEqual(typed.headers, [["content-type", "text/plain"]]);
  });

  test("to any other server is a GET of its address, or a POST of the payload", () => {
    const foreign = target(false, "http://127.0.0.1:1/page");
    const plain = { url: foreign.url, method: "GET", headers: [], bodies: [], namesClients: false };
    assert.deepEqual(shape(foreign), plain);
    assert.deepEqual(shape(foreign, { bodies: [BODY] }), { ...plain, method: "POST", bodies: [BODY] });
    assert.equal(shape(foreign, { bodies: [BODY], method: "PUT" }).method, "PUT");
  });

  test("with another method than POST nothing is made up, not even for a Tidemark", () => {
    const { method, bodies, namesClients, url } = shape(target(true), { method: "GET" });
    assert.deepEqual([method, bodies, namesClients, url], ["GET", [], false, "http://127.0.0.1:1/"]);
  });
});

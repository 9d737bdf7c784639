// Framing attacked, for a moment: some hundreds of the mutations that `npm run attack -- framing` makes by the hundred
// thousand, from a fixed seed; and that the judges would notice.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { stopForeignServers } from "../support/foreign-server.ts";
import { RawConnection } from "../support/raw-client.ts";
import { errorOf } from "../support/requests.ts";
import { startServer, stopServers } from "../support/server-process.ts";
import { attackCuts } from "./cut-run.ts";
import { CANARY, GOOD_REQUESTS } from "./good-requests.ts";
import { attackOf } from "./mutator.ts";
import { readOneRequest } from "./one-request.ts";
import { readAsServer } from "./own-reading.ts";
import { missingPrograms } from "./proxies.ts";
import type { ProxyReading } from "./proxy-reading.ts";
import { attackProxies } from "./proxy-run.ts";
import { REASONS } from "./reasons.ts";
import { attackServer, uncleanIn } from "./socket-run.ts";
import { compare, forwardingFault } from "./verdict.ts";

const SEED = 20_251_124;
const MISSING = missingPrograms();

after(async () => {
  await stopForeignServers();
  await stopServers();
});

describe("framing attacked:", () => {
  test("each good request is taken whole, and the canary behind it", () => {
    for (const { name, text } of GOOD_REQUESTS) {
      const reading = readAsServer(Buffer.from(text + CANARY, "latin1"));
      assert.equal(reading.fault, "", name);
      assert.equal(reading.requests.at(-1)?.target, "/health", name);
      assert.ok(!reading.requests.some(({ target }) => target === "/hidden"), name);
    }
  });

  test("the same attack comes of the same seed, and they break what they should", () => {
    const attacks = Array.from({ length: 2_000 }, (_, index) => attackOf(SEED, index));
    assert.deepEqual(attackOf(SEED, 7), attacks[7]);
    const faults = new Set(attacks.map(({ bytes }) => readAsServer(bytes).fault));
    for (const fault of ["", "bad_request", "transfer_coding", "version", "expectation", "length"])
      assert.ok(faults.has(fault), fault);
  });

  test("what is made of the bytes does not depend on how they were cut", () => {
    assert.deepEqual(attackCuts({ seed: SEED, from: 0, to: 4_000 }), []);
  });

  test("the running server answers each request once, and with clean bytes", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--rate-limit", "0", "--log-level", "warn"]);
    const tally = await attackServer(server.port, { seed: SEED, from: 0, to: 400 });
    assert.deepEqual(tally.otherwise, []);
    assert.deepEqual(tally.unclean, []);
    assert.ok(tally.errors > 100);
    assert.equal(server.hasExited, false, server.error);
  });

  test("a fault behind a HEAD is answered with its text, and one in a HEAD without", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1"]);
    const behind = await RawConnection.open(server.port);
    behind.send("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\n");
    assert.equal((await behind.answer(true)).status, 200);
    const fault = await behind.answer();
    assert.equal(fault.status, 400);
    assert.match(errorOf(fault), /before the colon/);
    behind.close();
    const inside = await RawConnection.open(server.port);
    inside.send("HEAD /health HTTP/1.1\r\nHost : a\r\n\r\n");
    assert.equal((await inside.answer(true)).status, 400);
    await inside.ended();
    assert.equal(inside.unread.length, 0);
    inside.close();
  });

  if (MISSING.length > 0) {
    test("through the proxies", { skip: `${MISSING.join(" and ")} is missing` }, () => {});
  } else {
    test("what nginx and haproxy forward as one request is one here", { timeout: 120_000 }, async () => {
      for (const tally of await attackProxies({ seed: SEED, from: 0, to: 250 })) {
        assert.deepEqual(tally.smuggled, [], tally.proxy);
        assert.deepEqual(tally.unexplained, [], tally.proxy);
        assert.ok(tally.forwarded > 100, tally.proxy);
      }
    });
  }
});

describe("the judges of framing", () => {
  const forwarded = (text: string, status = 200): ProxyReading => ({
    answers: [{ status, forwardedAs: 1 }],
    forwarded: [{ number: 1, bytes: Buffer.from(text, "latin1"), isClosed: true }],
    standing: "closed",
  });
  const post = "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";

  test("see bytes left behind a forwarded request, and a request that is not whole", () => {
    assert.equal(forwardingFault(forwarded(post)), "");
    assert.match(forwardingFault(forwarded(`${post}GET /`)), /5 bytes are left/);
    assert.match(forwardingFault(forwarded(post.slice(0, -1))), /not whole/);
    assert.match(forwardingFault(forwarded(post.slice(0, -1), 504)), /waits for more/);
  });

  test("see another body, a request too many, and one that is still awaited", () => {
    const own = (text: string) => readAsServer(Buffer.from(text, "latin1"));
    assert.equal(compare(own(post), forwarded(post)).kind, "same");
    assert.equal(compare(own(post), forwarded(post.replace("{}", "[]"))).kind, "differs");
    assert.equal(compare(own(post), forwarded("x")).kind, "refused behind");
    assert.equal(compare(own(post.slice(0, -1)), forwarded(post)).kind, "waits here");
    assert.equal(compare(own(post.replace("\r\n\r\n", "\n\n")), forwarded(post)).kind, "stricter");
    assert.equal(compare(own(post + post), forwarded(post)).kind, "closed there");
    assert.equal(compare(own(post + post), { ...forwarded(post), standing: "waiting" }).kind, "waits there");
  });

  test("read one request as one", () => {
    assert.deepEqual(readOneRequest(Buffer.from(`${post}..`)), {
      outcome: "whole",
      request: { head: post.slice(0, -2), method: "POST", target: "/metrics", body: "{}" },
      bytesLeft: 2,
    });
    assert.equal(readOneRequest(Buffer.from("GET / HTTP/1.1\r\n")).outcome, "waiting");
    assert.equal(readOneRequest(Buffer.from("GET  / HTTP/1.1\r\n")).outcome, "refused");
  });

  test("see what no answer may hold", () => {
    const answer = {
      status: 400,
      headers: new Map(),
      head: "HTTP/1.1 400 Bad Request",
      body: '{"error":"é"}',
    };
    assert.equal(uncleanIn(answer), "");
    assert.notEqual(uncleanIn({ ...answer, head: "HTTP/1.1 400 Bad\x01" }), "");
    assert.notEqual(uncleanIn({ ...answer, head: "HTTP/1.1 400 Bad\nX: y" }), "");
    assert.notEqual(uncleanIn({ ...answer, body: '{"error":"\x07"}' }), "");
    assert.notEqual(uncleanIn({ ...answer, body: '{"error":"\\u0007"}' }), "");
    assert.notEqual(uncleanIn({ ...answer, body: '{"error":' }), "");
    assert.notEqual(uncleanIn({ ...answer, body: '{"error":"a","b":1}' }), "");
  });

  test("give each reason once, and in words", () => {
    assert.equal(new Set(REASONS.map(({ name, by }) => by + name)).size, REASONS.length);
    for (const { why } of REASONS) assert.ok(why.length > 40, why);
  });
});

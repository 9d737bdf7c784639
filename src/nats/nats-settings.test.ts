import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseServers, showServers } from "./nats-settings.ts";

describe("the servers of a cluster", () => {
  const taken: Record<string, string[]> = {
    "nats://a": ["nats://a"],
    "nats://a,b:4223": ["nats://a", "nats://b:4223"],
    "tls://a, b ,nats://c/": ["tls://a", "tls://b", "nats://c"],
    "nats://[::1]:4222,10.0.0.1": ["nats://[::1]:4222", "nats://10.0.0.1"],
    "nats://ann:s3cret@a,b": ["nats://ann:s3cret@a", "nats://b"],
    "nats://t0ken@a:65535": ["nats://t0ken@a:65535"],
    "nats://ann:p%40ss%2Fword@a": ["nats://ann:p%40ss%2Fword@a"],
  };
  for (const [text, servers] of Object.entries(taken)) {
    test(`${text} is ${servers.length} of them`, () => {
      assert.deepEqual(parseServers(text), servers);
    });
  }

  test("what is no list of addresses is none", () => {
    for (const text of [
      "",
      "a",
      "a:4222",
      "http://a",
      "nats://",
      "nats://a,",
      ",nats://a",
      "nats://a b",
      "nats://a:x",
      "nats://a:123456",
      "nats://a:65536",
      "nats://a/x",
      "nats://a@b@c",
      "nats://a?x=1",
      "nats://::1",
      "nats://ann:50%@a",
      "nats://ann:%zz@a",
    ])
      assert.equal(parseServers(text), null, text);
  });

  test("are shown without user, password and token", () => {
    const shown = showServers(parseServers("nats://ann:s3cret@a:1,t0ken@b,nats://c")!);
    assert.equal(shown, "nats://a:1,nats://b,nats://c");
  });

  test("any text is a list or none, and what was encoded before an @ is never shown", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ minLength: 1 }), (text, secret) => {
        parseServers(text);
        const encoded = `zq${encodeURIComponent(secret.toWellFormed())}qz`;
        const servers = parseServers(`nats://ann:${encoded}@a,b`);
        assert.ok(servers !== null);
        assert.equal(showServers(servers), "nats://a,nats://b");
      }),
    );
  });
});

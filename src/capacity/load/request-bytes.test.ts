import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LoadPlan } from "./load-plan.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import { parseLoadUrl } from "./load-url.ts";
import { buildRequests, nameClient } from "./request-bytes.ts";

function requestsOf(parts: Partial<LoadPlan>): string[] {
  const plan = newLoadPlan({ url: "http://example.test:81/a/b?c=d", ...parts });
  return buildRequests(plan, parseLoadUrl(plan.url)).map(({ bytes }) =>
    new TextDecoder("latin1").decode(bytes),
  );
}

describe("a request", () => {
  test("without a body has a Host and nothing else that was not asked for", () => {
    assert.deepEqual(requestsOf({}), ["GET /a/b?c=d HTTP/1.1\r\nHost: example.test:81\r\n\r\n"]);
  });

  test("is made for each body, with its length in bytes", () => {
    const bodies = ["é", ""].map((text) => new TextEncoder().encode(text));
    assert.deepEqual(
      requestsOf({ method: "POST", bodies, headers: [["Content-Type", "text/plain"]] }).map((text) =>
        text.slice(47),
      ),
      [
        "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nÃ©",
        "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
      ],
    );
  });

  test("that could have a body and has none says so", () => {
    assert.match(requestsOf({ method: "POST" })[0]!, /\r\nContent-Length: 0\r\n\r\n$/);
  });

  test("says close where each has its connection", () => {
    assert.match(requestsOf({ keepAlive: false })[0]!, /\r\nConnection: close\r\n\r\n$/);
  });

  test("leaves headers that are given as they are", () => {
    const headers = [
      ["host", "x"],
      ["CONNECTION", "upgrade"],
      ["content-length", "0"],
      ["x-client-id", "me"],
    ] as const;
    assert.equal(
      requestsOf({ method: "POST", keepAlive: false, namesClients: true, headers })[0],
      "POST /a/b?c=d HTTP/1.1\r\nhost: x\r\nCONNECTION: upgrade\r\ncontent-length: 0\r\nx-client-id: me\r\n\r\n",
    );
  });

  test("has a place for the client's number, which any number leaves well-formed", () => {
    const plan = newLoadPlan({ namesClients: true });
    const [request] = buildRequests(plan, parseLoadUrl(plan.url));
    for (const client of [9_999_999, 0, 12_345, 7]) {
      nameClient(request!, client);
      assert.match(
        new TextDecoder().decode(request!.bytes),
        new RegExp(`\r\nX-Client-Id: load-${client} *\r\n`),
      );
    }
  });

  test("goes to an IPv6 address without its brackets, and names it with them", () => {
    const url = parseLoadUrl("http://[::1]:8080/x");
    assert.deepEqual(url, { host: "::1", port: 8080, target: "/x", authority: "[::1]:8080" });
    assert.equal(parseLoadUrl("http://example.test").port, 80);
    assert.equal(parseLoadUrl("http://example.test").target, "/");
  });
});

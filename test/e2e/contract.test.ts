// What the contract says of each request, asked of a running server: the routes, their methods and their answers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { storedAs } from "../support/log-files.ts";
import { exchange } from "../support/raw-client.ts";
import { batch, errorOf, get, metric, post, request } from "../support/requests.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

let server: ServerProcess;

after(stopServers);

describe("the contract:", () => {
  before(
    async () => {
      server = await startServer(["--threads", "1"]);
    },
    { timeout: 60_000 },
  );

  test("a batch is answered with the number of its metrics, and its lines are in the log as they were sent", async () => {
    const sent = {
      name: "cpu_usage",
      value: 75.5,
      type: "gauge",
      tags: { host: "web1" },
      timestamp: 1763890000000,
    };
    const answer = await ask(post(batch([sent, { name: "cpu_usage", value: -2 }])));
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"success":true,"metrics_processed":2}');
    assert.equal(answer.headers.get("content-type"), "application/json");
    const [first, second] = storedAs(server.data, "cpu_usage");
    const { timestamp: ts, ...rest } = sent;
    assert.deepEqual(first, { ts, ...rest, client: "127.0.0.1" });
    assert.deepEqual({ ...second, ts: 0 }, { ...rest, ts: 0, value: -2, tags: {}, client: "127.0.0.1" });
    assert.ok(
      Math.abs(second!.ts - Date.now()) < 60_000,
      "a metric without a time has the time of its receipt",
    );
  });

  test("a line has its keys in the order that is promised", async () => {
    await ask(
      post('{"metrics":[{"tags":{"a":"b"},"timestamp":7,"type":"counter","value":1e3,"name":"ordered"}]}'),
    );
    const [line] = storedAs(server.data, "ordered");
    assert.deepEqual(Object.keys(line!), ["ts", "name", "value", "type", "tags", "client"]);
  });

  test("POST takes JSON under every Content-Type that JSON is sent with, and under none", async () => {
    const types = [
      "application/json",
      "application/json; charset=utf-8",
      "Application/JSON;charset=UTF-8",
      "application/vnd.api+json",
      "text/plain",
      "text/plain; charset=utf-8",
      "application/x-www-form-urlencoded",
      "application/octet-stream",
    ];
    for (const type of types) {
      const answer = await ask(post(metric("typed"), { "Content-Type": type }));
      assert.equal(answer.status, 200, type);
    }
    assert.equal((await ask(request("POST", "/metrics", {}, metric("typed")))).status, 200);
    assert.equal(storedAs(server.data, "typed").length, types.length + 1);
  });

  test("POST refuses what says that it is another format", async () => {
    for (const type of ["application/xml", "text/html", "multipart/form-data; boundary=x", "image/png"]) {
      const answer = await ask(post(metric("never"), { "Content-Type": type }));
      assert.equal(answer.status, 415, type);
      assert.match(errorOf(answer), /Content-Type; send application\/json/);
    }
    assert.deepEqual(storedAs(server.data, "never"), []);
  });

  test("GET / names what is here", async () => {
    const answer = await ask(get("/"));
    assert.equal(answer.status, 200);
    for (const route of ["/metrics", "/stats", "/health", "/ready"])
      assert.ok(answer.body.includes(route), route);
  });

  test("GET /health and /ready answer in JSON", async () => {
    const health = await ask(get("/health"));
    assert.equal(health.status, 200);
    assert.deepEqual(JSON.parse(health.body), { status: "healthy", service: "ingestion" });
    assert.equal(health.headers.get("content-type"), "application/json");
    assert.equal((await ask(get("/ready"))).status, 200);
  });

  test("GET /metrics speaks Prometheus, and JSON to those who accept it", async () => {
    const text = await ask(get("/metrics"));
    assert.equal(text.status, 200);
    assert.match(text.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    for (const line of text.body.split("\n").filter((line) => line !== "")) {
      assert.match(
        line,
        /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{[^{}]*\})? -?[\d.e+-]+|.* (NaN|[+]Inf))$/,
      );
    }
    const json = await ask(get("/metrics", { Accept: "application/json" }));
    assert.equal(json.headers.get("content-type"), "application/json");
    const counters = JSON.parse(json.body);
    assert.deepEqual(Object.keys(counters).sort(), [
      "batches_processed",
      "metrics_received",
      "rate_limited_requests",
      "validation_errors",
    ]);
  });

  test("the JSON counters count batches, metrics and refused batches", async () => {
    const before = await counters();
    await ask(post(batch([1, 2, 3].map((value) => ({ name: "counted", value })))));
    await ask(post('{"metrics":[]}'));
    const now = await counters();
    assert.equal(now.metrics_received! - before.metrics_received!, 3);
    assert.equal(now.batches_processed! - before.batches_processed!, 1);
    assert.equal(now.validation_errors! - before.validation_errors!, 1);
  });

  test("GET /stats is JSON and names the nearest limit", async () => {
    const answer = await ask(get("/stats"));
    assert.equal(answer.status, 200);
    const stats = JSON.parse(answer.body);
    assert.equal(stats.ready, true);
    assert.ok(stats.headroom.limits.length > 5);
    assert.ok("nearest" in stats.headroom);
    assert.equal(stats.accounting.received > 0, true);
  });

  test("HEAD is GET without the body", async () => {
    for (const path of ["/", "/health", "/ready", "/stats", "/metrics"]) {
      const got = await ask(get(path));
      const head = await exchange(server.port, request("HEAD", path), true);
      assert.equal(head.status, 200, path);
      assert.equal(head.body, "", path);
      assert.equal(head.headers.get("content-type"), got.headers.get("content-type"), path);
      if (path === "/health") {
        assert.equal(head.headers.get("content-length"), got.headers.get("content-length"));
      }
    }
  });

  test("OPTIONS names the methods", async () => {
    const onMetrics = await ask(request("OPTIONS", "/metrics"));
    assert.equal(Math.floor(onMetrics.status / 100), 2);
    assert.equal(onMetrics.headers.get("allow"), "GET, HEAD, OPTIONS, POST");
    const onHealth = await ask(request("OPTIONS", "/health"));
    assert.equal(onHealth.headers.get("allow"), "GET, HEAD, OPTIONS");
    assert.equal(Math.floor((await ask(request("OPTIONS", "*"))).status / 100), 2);
  });

  test("a method that a path does not take is 405 and says what it takes", async () => {
    for (const [method, path, allow] of [
      ["PUT", "/metrics", "GET, HEAD, OPTIONS, POST"],
      ["DELETE", "/metrics", "GET, HEAD, OPTIONS, POST"],
      ["POST", "/health", "GET, HEAD, OPTIONS"],
      ["POST", "/", "GET, HEAD, OPTIONS"],
    ] as const) {
      const answer = await ask(request(method, path, {}, "{}"));
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.get("allow"), allow, `${method} ${path}`);
    }
    assert.equal((await ask(request("BREW", "/metrics"))).status, 501);
  });

  test("any other path is 404, with what to try", async () => {
    for (const path of ["/metric", "/metrics/", "/Metrics", "/health/x", "/..", "/%6detrics"]) {
      const answer = await ask(get(path));
      assert.equal(answer.status, 404, path);
      assert.match(errorOf(answer), /GET \//);
    }
  });

  test("a query behind a path does not hide it", async () => {
    for (const path of ["/health?x=1", "/metrics?a", "/?"])
      assert.equal((await ask(get(path))).status, 200, path);
  });

  test("every answer carries a date and its length", async () => {
    for (const bytes of [get("/health"), get("/nowhere"), post("{}"), post(metric("dated"))]) {
      const answer = await ask(bytes);
      assert.match(answer.headers.get("date")!, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
      assert.match(answer.headers.get("content-length")!, /^\d+$/);
    }
  });
});

function ask(bytes: Uint8Array): Promise<Answer> {
  return exchange(server.port, bytes);
}

async function counters(): Promise<Record<string, number>> {
  return JSON.parse((await ask(get("/metrics", { Accept: "application/json" }))).body);
}

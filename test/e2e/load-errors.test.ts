// Every class of error, provoked for real.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { after, describe, test } from "node:test";
import type { LoadJson } from "../../src/capacity/report/report-json.ts";
import { CountingServer, OK, type Reply } from "../support/counting-server.ts";
import { loadJson, MAIN, runLoad } from "../support/load-process.ts";

const servers: CountingServer[] = [];
const children: ChildProcess[] = [];
after(() => {
  for (const server of servers) server.stop();
  for (const child of children) child.kill("SIGKILL");
});

const TIMEOUT = { timeout: 60_000 };

async function startReplying(reply: (number: number) => Reply): Promise<CountingServer> {
  const server = await new CountingServer(reply).start();
  servers.push(server);
  return server;
}

function answer(status: number): string {
  return `HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`;
}

/** Four clients, ten requests each. */
const FLAGS = ["--clients", "4", "--requests", "10", "--method", "GET"];

describe("a failed request has its class:", () => {
  const kinds: readonly (readonly [
    name: string,
    reply: (number: number) => Reply,
    errors: LoadJson["errors"],
    requests: number,
  ])[] = [
    ["429", (number) => (number % 4 === 0 ? answer(429) : OK), { rate_limited: 10 }, 40],
    ["503", (number) => (number % 2 === 0 ? answer(503) : OK), { unavailable: 20 }, 40],
    [
      "other 4xx and 5xx",
      (number) => (number % 2 === 0 ? answer(404) : answer(500)),
      { status_4xx: 20, status_5xx: 20 },
      40,
    ],
    ["reset", (number) => (number % 8 === 0 ? "reset" : OK), { reset: 5 }, 40],
    ["a close instead of an answer", (number) => (number % 8 === 0 ? "close" : OK), { reset: 5 }, 40],
    ["an answer that is no HTTP", (number) => (number % 8 === 0 ? "+PONG\r\n" : OK), { protocol: 5 }, 40],
  ];
  for (const [name, reply, errors, requests] of kinds) {
    test(name, TIMEOUT, async () => {
      const server = await startReplying(reply);
      const { json, outcome } = await loadJson(["--url", server.url, ...FLAGS]);
      assert.deepEqual(json.errors, errors);
      assert.equal(json.requests, requests);
      assert.equal(server.requests, requests);
      const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
      assert.ok(Math.abs(json.success - (requests - failed) / requests) < 1e-6);
      // A machine that held the generator up makes its run void, which says nothing of the classes.
      const exitCode = failed === requests ? 1 : 0;
      assert.equal(outcome.exitCode, json.void === null ? exitCode : 2);
    });
  }

  test("no answer within the timeout, with the time waited in the latency", TIMEOUT, async () => {
    const server = await startReplying((number) => (number % 10 === 0 ? "nothing" : OK));
    const { json } = await loadJson(["--url", server.url, ...FLAGS, "--timeout", "200ms"]);
    assert.deepEqual(json.errors, { timeout: 4 });
    assert.ok(json.latency_uncorrected_ms.max! >= 200);
  });

  test("no answer by the end of the run", TIMEOUT, async () => {
    const server = await startReplying(() => "nothing");
    const flags = ["--clients", "3", "--duration", "200ms", "--timeout", "30s"];
    const { json, outcome } = await loadJson(["--url", server.url, ...flags]);
    assert.deepEqual(json.errors, { timeout: 3 });
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.error, /^no request succeeded: 3 of 3 failed as timeout \(.*\n$/);
    assert.equal(json.stalls.length, 1);
  });

  test("nothing listens: fails as refused, says so, and is not asked in a tight loop", TIMEOUT, async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const url = `http://127.0.0.1:${port}/`;
    const { json, outcome } = await loadJson(["--url", url, "--clients", "2", "--duration", "500ms"]);
    assert.deepEqual(Object.keys(json.errors), ["refused"]);
    assert.equal(json.errors.refused, json.requests);
    assert.ok(json.requests <= 20, `${json.requests} attempts`);
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.error, /failed as refused/);
    const open = await loadJson(["--url", url, "--clients", "2", "--rate", "100", "--duration", "500ms"]);
    assert.deepEqual(open.json.errors, { refused: 50 });
  });

  // A process that is stopped takes no connections: the kernel makes as many as fit the queue, then drops every SYN.
  test("no connection within the timeout", TIMEOUT, async () => {
    const code =
      "const s=require('net').createServer();s.listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const port = await new Promise<number>((resolve) =>
      child.stdout!.once("data", (text) => resolve(Number(text))),
    );
    child.kill("SIGSTOP");
    const flags = ["--clients", "1500", "--requests", "1", "--timeout", "600ms"];
    const { json } = await loadJson(["--url", `http://127.0.0.1:${port}/`, ...flags]);
    child.kill("SIGKILL");
    assert.equal(json.requests, 1500);
    assert.ok(json.errors.connect_timeout! > 0, JSON.stringify(json.errors));
    assert.ok(json.errors.timeout! > 0, JSON.stringify(json.errors));
    assert.equal(json.errors.connect_timeout! + json.errors.timeout!, 1500);
  });
});

describe("the generator's own limits void the run:", () => {
  test("no file descriptor left", { ...TIMEOUT, skip: needs("prlimit", "--version") }, async () => {
    const server = await startReplying(() => OK);
    const flags = ["--clients", "300", "--requests", "2"];
    const { json, outcome } = await loadJson(
      ["--url", server.url, ...flags],
      ["prlimit", "--nofile=100:100"],
    );
    assert.deepEqual(Object.keys(json.errors), ["no_descriptor"]);
    assert.ok(json.success > 0);
    assert.match(json.void!, /no file descriptor left for \d+ requests; try ulimit/);
    assert.equal(outcome.exitCode, 2);
    assert.match(outcome.error, /^void: the generator/);
  });

  // In a network namespace of its own: a port range of 20, and a server and a load that share it.
  test("no client port left", { ...TIMEOUT, skip: needs("unshare", "-n", "true") }, async () => {
    const server =
      "require('net').createServer(s=>{s.on('error',()=>{});s.on('data',()=>s.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'))}).listen(18080,'127.0.0.1',()=>console.log('up'))";
    const script = `ip link set lo up && echo "50000 50019" > /proc/sys/net/ipv4/ip_local_port_range || exit 77
      "$1" -e "$3" > "$0.up" & server=$!
      while ! ip -s link show lo > /dev/null || ! grep -q ':46A0 ' /proc/net/tcp; do :; done
      "$1" "$2" load --url http://127.0.0.1:18080/ --clients 60 --requests 3 --json; code=$?
      kill $server; exit $code`;
    const run = spawnSync(
      "unshare",
      ["-n", "sh", "-c", script, "/dev/null", process.execPath, MAIN, server],
      {
        encoding: "utf8",
        timeout: 30_000,
      },
    );
    assert.notEqual(run.status, 77, run.stderr);
    const json = JSON.parse(run.stdout) as LoadJson;
    assert.deepEqual(Object.keys(json.errors), ["no_port"]);
    assert.ok(json.success > 0);
    assert.match(json.void!, /no client port left/);
    assert.equal(run.status, 2);
  });

  test("and for people it is said below the figures", {
    ...TIMEOUT,
    skip: needs("prlimit", "--version"),
  }, async () => {
    const server = await startReplying(() => OK);
    const run = await runLoad(
      ["--url", server.url, "--clients", "300", "--requests", "1"],
      ["prlimit", "--nofile=100:100"],
    );
    assert.equal(run.exitCode, 2);
    assert.match(run.out, /\nVOID: the generator had no file descriptor/);
    assert.equal(run.error, "");
  });
});

/** Why a test that needs this program to work is skipped, or false. */
function needs(program: string, ...words: string[]): string | false {
  const run = spawnSync(program, words);
  return run.status === 0 ? false : `${program} ${words.join(" ")} does not work here`;
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { after, describe, test } from "node:test";
import { TidemarkError } from "../../errors.ts";
import { endScript, endScripts, RecordedFiles, sampleAt, startScript } from "./evidence-bed.ts";
import { readMachineFacts, stolenRatio } from "./machine-facts.ts";
import { missingSources } from "./missing-sources.ts";
import { findPidOfPort } from "./port-owner.ts";
import { findTargetFacts } from "./target-facts.ts";

after(endScripts);

const noTables = existsSync("/proc/net/tcp") ? false : "no /proc/net/tcp here";
const PORT_PRINTER =
  "const server = require('node:http').createServer((_, response) => response.end('hello'));" +
  "server.listen(0, '127.0.0.1', () => console.log(server.address().port));";

async function serve(listener: RequestListener): Promise<{ port: number; close(): void }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function refusal(pattern: RegExp, exitCode: number): (error: unknown) => boolean {
  return (error) =>
    error instanceof TidemarkError && error.exitCode === exitCode && pattern.test(error.message);
}

describe("the target", () => {
  test("a local one's process is found by its port", { skip: noTables }, async () => {
    const script = await startScript(PORT_PRINTER);
    const port = Number(script.said);
    assert.equal(findPidOfPort(port), script.pid);
    const facts = await findTargetFacts(`http://127.0.0.1:${port}/x`, null, false);
    assert.equal(facts.pid, script.pid);
    assert.equal(facts.isLocal, true);
    assert.equal(facts.isLoopback, true);
    assert.equal(facts.isTidemark, false);
    assert.deepEqual(facts.missing, []);
    const named = await findTargetFacts(`http://127.0.0.1:${port}/x`, script.pid, false);
    assert.deepEqual(named.missing, []);
    await endScript(script);
    assert.equal(findPidOfPort(port), null);
  });

  test("of a master and its workers the master is found", () => {
    const row =
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n";
    const files = new RecordedFiles({
      "/proc/net/tcp": `  sl  local_address\n${row}`,
      "/proc/30/stat": "30 (master) S 1 1 1\n",
      "/proc/9/stat": "9 (worker) S 30 1 1\n",
      "/proc/31/stat": "31 (other) S 1 1 1\n",
    });
    files.links.set("/proc/30/fd/5", "socket:[4711]").set("/proc/9/fd/5", "socket:[4711]");
    files.links.set("/proc/31/fd/5", "socket:[4712]");
    assert.equal(findPidOfPort(8080, files), 30);
    assert.equal(findPidOfPort(8081, files), null);
    assert.equal(findPidOfPort(8080, new RecordedFiles()), null);
  });

  test("a process that listens elsewhere is a warning", { skip: noTables }, async () => {
    const script = await startScript(PORT_PRINTER);
    const server = await serve((_, response) => response.end());
    const facts = await findTargetFacts(`http://127.0.0.1:${server.port}/`, script.pid, false);
    server.close();
    assert.equal(facts.pid, script.pid);
    assert.equal(facts.missing.length, 1);
    assert.match(
      facts.missing[0]!,
      new RegExp(`process ${script.pid} does not listen on port ${server.port}`),
    );
    await endScript(script);
  });

  test("a process that nobody may look into is not called the wrong one", async () => {
    const server = await serve((_, response) => response.end());
    const url = `http://127.0.0.1:${server.port}/`;
    const facts = await findTargetFacts(url, process.pid, true, new RecordedFiles());
    assert.deepEqual(facts.missing, []);
    assert.equal(facts.isOwn, true);
    const tables = new RecordedFiles({ [`/proc/${process.pid}/net/tcp`]: "  sl  local_address\n" });
    assert.deepEqual((await findTargetFacts(url, process.pid, true, tables)).missing, []);
    server.close();
  });

  test("a name is looked up", async () => {
    const server = await serve((_, response) => response.end());
    // "localhost" may lead to ::1 too, where nothing listens; whether it answers is not the point here.
    const facts = await findTargetFacts(`http://localhost:${server.port}/`, process.pid, false).catch(
      (error: Error) => error,
    );
    server.close();
    if (facts instanceof Error) assert.match(facts.message, /^cannot reach /);
    else assert.equal(facts.isLoopback, true);
  });

  test("what cannot be is refused with what to do", async () => {
    const server = await serve((_, response) => response.end());
    const url = `http://127.0.0.1:${server.port}/`;
    await assert.rejects(
      findTargetFacts(url, 0x7fff_fff0, false),
      refusal(/^cannot watch process \d+ because/, 2),
    );
    await assert.rejects(findTargetFacts("https://127.0.0.1/", null, false), refusal(/only http/, 2));
    await assert.rejects(
      findTargetFacts("not an address", null, false),
      refusal(/^cannot read the address/, 2),
    );
    server.close();
    const gone = findTargetFacts(url, null, false);
    await assert.rejects(gone, refusal(/^cannot reach http:.*; start the server/, 1));
  });
});

describe("the machine", () => {
  test("is described", () => {
    const facts = readMachineFacts();
    assert.ok(facts.cores >= 1 && facts.memory_bytes > 0);
    assert.ok(facts.processor.length > 0 && facts.system.includes(" "));
    assert.equal(facts.stolen_ratio, null);
  });

  test("what was stolen of it is a share of all its time", () => {
    const first = sampleAt(0, { machine: { busyS: 10, stolenS: 1, idleS: 100 } });
    const last = sampleAt(9, { machine: { busyS: 14, stolenS: 2, idleS: 105 } });
    assert.equal(stolenRatio(first, last), 0.1);
    assert.equal(stolenRatio(first, sampleAt(9)), null);
    assert.equal(stolenRatio(undefined, last), null);
  });
});

describe("missing sources", () => {
  const facts = {
    url: "http://127.0.0.1/",
    isOwn: false,
    isTidemark: true,
    isLocal: true,
    isLoopback: true,
    pid: 7,
    software: null,
    settings: null,
  };
  const whole = sampleAt(0, {
    process: {
      cpuS: 1,
      descriptorsUsed: 3,
      threads: [{ pid: 7, tid: 7, name: "a", cpuS: 1, waitS: 0, state: "S" }],
    },
    quota: { quotaCores: Number.POSITIVE_INFINITY },
    machine: { busyS: 1, pressureCpuMs: 0 },
    network: { listenOverflows: 0, acceptQueueMax: 0, acceptQueueCap: 5 },
    stats: {},
  });

  test("are none where all is known, even if only once", () => {
    assert.deepEqual(missingSources([whole], facts), []);
    assert.deepEqual(missingSources([sampleAt(0), whole], facts), []);
    assert.deepEqual(missingSources([], facts), []);
  });

  test("are each named with what is unknown for it", () => {
    const missing = missingSources([sampleAt(0)], { ...facts, pid: null, missing: ["a warning"] });
    assert.equal(missing[0], "a warning");
    assert.equal(missing[1], "no --pid: descriptors, threads and memory of the target are unknown");
    for (const word of [/stats/, /proc\/stat/, /pressure/, /netstat/, /accept queue/])
      assert.ok(
        missing.some((text) => word.test(text)),
        `${word}: ${missing.join("; ")}`,
      );
    assert.ok(
      missing.every((text) => !text.includes("`ss`")),
      "a Tidemark tells its cap itself",
    );
  });

  test("of a target elsewhere are not looked for here", () => {
    const elsewhere = { ...facts, isLocal: false, isTidemark: false, pid: null };
    const missing = missingSources([sampleAt(0)], elsewhere);
    assert.match(missing[0]!, /on another machine/);
    assert.ok(!missing.some((text) => /netstat|accept queue/.test(text)));
  });
});

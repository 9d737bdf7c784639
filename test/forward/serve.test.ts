// `tidemark serve --forward`: what is posted arrives in the store, and nobody pays for forwarding who does not ask for it.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOfLog, ScriptedStore } from "../../src/forward/store-bed.ts";
import { forwards, spawnForward } from "../support/forward-process.ts";
import {
  eventually,
  newDataFolder,
  spawnServer,
  startServer,
  stopServers,
} from "../support/server-process.ts";

after(stopServers);
const SECRET = "s3cret";

async function withStore(use: (store: ScriptedStore) => Promise<void>): Promise<void> {
  const store = new ScriptedStore();
  await store.open();
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

async function post(address: string, value: number): Promise<void> {
  const body = JSON.stringify({ metrics: [{ name: "posted", value, tags: { host: "a" } }] });
  const headers = { "Content-Type": "application/json", "X-Client-Id": "me" };
  assert.equal((await fetch(`${address}/metrics`, { method: "POST", body, headers })).status, 200);
}

test("what is posted arrives in the store, is told of, and no secret of the store's is", () =>
  withStore(async (store) => {
    const target = `prometheus=${store.url.replace("//", `//user:${SECRET}@`)}?token=${SECRET}`;
    const environment = { TIDEMARK_FORWARD: target, TIDEMARK_FORWARD_HEADERS: `X-Secret: ${SECRET}` };
    const server = await startServer(["--log-level", "trace"], { environment });
    for (let value = 0; value < 5; value++) await post(server.address, value);
    await eventually("the store has them", () => store.values.length >= 5);
    assert.deepEqual(
      store.values.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
    const [sample] = store.taken.filter(isOfLog);
    assert.deepEqual(sample!.labels, { __name__: "posted", client: "me", host: "a" });
    const { headers } = store.requests.at(-1)!;
    assert.equal(headers.authorization, `Basic ${btoa(`user:${SECRET}`)}`);
    assert.equal(headers["x-secret"], SECRET);

    const stats = await eventually("the figures are there", async () => {
      const text = await (await fetch(`${server.address}/stats`)).text();
      const forwarding = JSON.parse(text).forwarding;
      return forwarding?.samples >= 5 && forwarding.lag_lines === 0 && text;
    });
    const metrics = await (await fetch(`${server.address}/metrics`)).text();
    assert.match(metrics, /^tidemark_forward_up 1$/m);
    assert.match(stats, /"forward": "prometheus=http:\/\/127\.0\.0\.1:\d+\/api\/v1\/write\?…"/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.error);
    for (const text of [stats, metrics, server.error, server.out]) assert.ok(!text.includes(SECRET), text);
    const cursor = JSON.parse(
      readFileSync(join(server.data, "followers", "forward-prometheus.json"), "utf8"),
    );
    assert.equal(cursor.lanes["lane-0"].fresh + (cursor.lanes["lane-1"]?.fresh ?? 0), 5);
  }));

test("a store that is away keeps nobody waiting, and gets what it missed after the next start", () =>
  withStore(async (store) => {
    await store.close();
    const flags = ["--forward", `prometheus=${store.url}`];
    const first = await startServer(flags);
    for (let value = 0; value < 3; value++) await post(first.address, value);
    assert.deepEqual(await first.stop(), { code: 0, signal: null }, first.error);
    await store.open();
    const second = await startServer(flags, { data: first.data });
    await eventually("the store has them", () => store.values.length >= 3);
    assert.deepEqual(await second.stop(), { code: 0, signal: null }, second.error);
    assert.equal(new Set(store.values).size, 3);
  }));

test("one name is forwarded by one process, and the other one is told by which", () =>
  withStore(async (store) => {
    const target = `prometheus=${store.url}`;
    const server = await startServer(["--forward", target]);
    const second = spawnForward(server.data, ["--to", target]);
    assert.equal((await second.exited).code, 1);
    assert.match(
      second.error,
      new RegExp(`^cannot forward .* because process ${server.child.pid}, since .* does;`),
    );
    const other = spawnForward(server.data, ["--to", target, "--name", "other"]);
    await forwards(other);
    assert.deepEqual(await other.stop(), { code: 0, signal: null }, other.error);
    const third = spawnServer(["--forward", target, "--forward-name", "x"], { data: server.data });
    assert.equal((await third.exited).code, 1);
    await server.stop();
  }));

test("a wrong address is told before anything starts, by its flag and without its password", async () => {
  for (const target of [`prometheus=http://u:${SECRET}@host`, `prometheus=${SECRET}`]) {
    const server = spawnServer(["--forward", target]);
    assert.equal((await server.exited).code, 2);
    assert.match(server.error, /^cannot use --forward /m);
    assert.ok(!server.error.includes(SECRET), server.error);
    const forward = spawnForward(newDataFolder(), ["--to", target]);
    assert.equal((await forward.exited).code, 2);
    assert.ok(!forward.error.includes(SECRET), forward.error);
  }
});

test("a server that does not forward loads nothing of it", () => {
  const root = fileURLToPath(new URL("../../src/", import.meta.url));
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path) || !existsSync(path)) return;
    loaded.add(path);
    const text = readFileSync(path, "utf8").replace(/\b(?:import|export)\s+type\b[^;]*?;/g, "");
    for (const [, name] of text.matchAll(/\bfrom\s*"(\.[^"]+)"/g)) load(join(dirname(path), name!));
  };
  for (const entry of [
    "cli/main.ts",
    "cli/serve.ts",
    "server/supervisor.ts",
    "server/ingest.worker.ts",
    "server/replica.worker.ts",
  ])
    load(join(root, entry));
  assert.ok(loaded.size > 50);
  assert.deepEqual(
    [...loaded].filter((path) => path.startsWith(join(root, "forward"))),
    [],
  );
});

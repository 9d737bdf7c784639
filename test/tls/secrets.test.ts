// Nothing secret gets out, and nothing that steers a terminal: a server with tokens and a key is made to fail in every
// way that says something, at the most talkative log level; then all that it said and wrote is searched.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { HAS_OPENSSL, makeCertificate, newCertificateFolder } from "../support/certificates.ts";
import { exchange } from "../support/raw-client.ts";
import { get, metric, post, request } from "../support/requests.ts";
import {
  eventually,
  newDataFolder,
  type ServerProcess,
  spawnServer,
  startServer,
  stopServers,
} from "../support/server-process.ts";
import { breakThread, startBreakableServer } from "../support/thread-faults.ts";
import { exchangeSecure, hangUp } from "./secure-client.ts";

after(stopServers);

const TOKEN = "Tk-7f3a.one_quiet~secret+of/web==";
const NEXT_TOKEN = "Tk-91bc.the-secret-that-follows";
const WRONG = "Tk-0000.a-guess-that-fails";
/** What a terminal obeys: C0, DEL, C1, line separators, changes of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const NASTY = "a\x1b[31m\x7f\u009b2J\u2028\u202eb";

/** The secret as it is, and as programs like to write it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const unpadded = bytes.toString("base64").replace(/=+$/, "").slice(0, -1);
  return [secret, json, unpadded, bytes.toString("hex"), encodeURIComponent(secret)];
}

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function assertNone(where: string, text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const form of formsOf(secret)) assert.ok(!text.includes(form), `${where} holds ${form}`);
  }
}

/** Requests of every kind that carry a secret, or what might steer a terminal. */
function talkativeRequests(): Buffer[] {
  const bearer = { Authorization: `Bearer ${TOKEN}` };
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  return [
    post(metric("good"), bearer),
    post(metric("bad"), { Authorization: `Bearer ${WRONG}` }),
    post(metric("bad"), { Authorization: `Basic ${Buffer.from(`web:${TOKEN}`).toString("base64")}` }),
    post(metric("bad"), { Authorization: `Bearer ${TOKEN}${"x".repeat(9_000)}` }),
    post(metric("bad"), { Authorization: `Bearer ${TOKEN} ${bytes("\u009b31m")}` }),
    post(metric("bad"), { Authorization: `Bearer ${TOKEN}\x1b[31m` }),
    post(metric("bad"), { ...bearer, "X-Client-Id": bytes(NASTY) }),
    post("{", bearer),
    post(`{"metrics":[{"name":1,"${NASTY}":2}]}`, bearer),
    post(`{"metrics":[{"name":"a","value":1,"tags":{"${NASTY}":1}}]}`, bearer),
    post(JSON.stringify({ metrics: [{ name: NASTY, value: 1, tags: { [NASTY]: NASTY } }] }), bearer),
    post(metric("a"), { ...bearer, "Content-Type": bytes(NASTY) }),
    get(`/${TOKEN}`, bearer),
    get(bytes(`/${NASTY}`), bearer),
    request(TOKEN.slice(0, 7), "/metrics", bearer),
    Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${TOKEN}\r\n\r\n`),
    get("/stats", bearer),
    get("/metrics", bearer),
  ];
}

if (HAS_OPENSSL) {
  describe("secrets", { timeout: 60_000 }, () => {
    const folder = newCertificateFolder();
    const one = makeCertificate(folder, "one");
    const key = one.key.split("\n").slice(1, -2).join("\n");
    const secrets = [TOKEN, NEXT_TOKEN, ...key.split("\n")];
    const configPath = join(folder, "tidemark.yaml");
    const tls = ["--tls-cert", one.certificatePath, "--tls-key", one.keyPath];

    test("are in no answer, log line or file, whatever goes wrong", async () => {
      writeFileSync(configPath, `token: { web: "${TOKEN}" }\n`, { mode: 0o600 });
      const flags = ["--config", configPath, "--threads", "1", "--log-level", "trace", ...tls];
      const server = await startBreakableServer(flags);
      for (const bytes of talkativeRequests()) {
        const answer = await exchangeSecure(server.port, bytes);
        const said = answer.head + answer.body;
        assertNone("an answer", said, secrets);
        assert.doesNotMatch(said.replaceAll("\r\n", "\n"), STEERING);
      }
      writeFileSync(configPath, `token: { web: "${NEXT_TOKEN}", web: "${TOKEN}" }\n`);
      await hangUp(server);
      writeFileSync(configPath, `token: { web: "${NEXT_TOKEN}" \n  x: [${TOKEN}`);
      await hangUp(server);
      writeFileSync(configPath, `token: { web: "${NEXT_TOKEN}" }\n`);
      assert.match(await hangUp(server), /"tokens_changed":\["web"\]/);
      breakThread(server, 0, "throw");
      await eventually("the thread's end is in the log", () => server.error.includes("died and is replaced"));
      const title = readFileSync(`/proc/${server.child.pid}/cmdline`, "utf8");
      await server.stop();
      assertNone("the log", server.error + server.out, secrets);
      assertNone("the process's words", title, secrets);
      for (const line of server.error.trimEnd().split("\n")) {
        assert.doesNotMatch(line, STEERING);
        JSON.parse(line);
      }
      for (const file of everyFile(server.data)) assertNone(file, readFileSync(file, "latin1"), secrets);
    });

    test("are in no message of a start that fails", async () => {
      const bad = `${TOKEN}!`;
      const yaml = join(folder, "bad.yaml");
      writeFileSync(yaml, `port: 0\n"web=${TOKEN}": 1\n`);
      const starts: [string[], Record<string, string>][] = [
        [["--token", TOKEN], {}],
        [[`--tokn=web=${TOKEN}`], {}],
        [[], { TIDEMARK_TOKEN: `web=${bad}` }],
        [["--config", yaml], {}],
      ];
      for (const server of starts.map(([flags, environment]) => spawnServer(flags, { environment }))) {
        assert.equal((await server.exited).code, 2, server.error);
        assertNone("the message", server.error + server.out, [TOKEN]);
      }
    });

    test("that others can read are named in a warning, by their file", async () => {
      writeFileSync(configPath, `token: { web: "${TOKEN}" }\n`);
      chmodSync(configPath, 0o644);
      chmodSync(one.keyPath, 0o640);
      const data = newDataFolder();
      mkdirSync(data, { mode: 0o755 });
      chmodSync(data, 0o755);
      const server = await startServer(["--config", configPath, "--threads", "1", ...tls], { data });
      assert.match(server.error, /the file with the tokens \S+ can be read by everybody/);
      assert.match(server.error, /the TLS key \S+ can be read by its group/);
      assert.match(server.error, /the data folder \S+ can be read by everybody/);
      await server.kill();
    });
  });
}

describe("what the operator wrote", { timeout: 60_000 }, () => {
  test("is shown without what steers a terminal", async () => {
    const server = spawnServer(["--data", `/proc/${NASTY}`, "--threads", "1"], { data: `/proc/${NASTY}` });
    assert.notEqual((await server.exited).code, 0);
    assert.match(server.error, /\\u009b/);
    assert.doesNotMatch(server.error.trimEnd(), STEERING);
  });
});

describe("the data folder", { timeout: 60_000 }, () => {
  const modesOf = (server: ServerProcess): string[] =>
    [
      server.data,
      ...readdirSync(server.data, { recursive: true }).map((name) => join(server.data, String(name))),
    ]
      .map((path) => ({ path, stat: statSync(path) }))
      .map(
        ({ path, stat }) => `${path.split("/").at(-1)!.split(".").at(-1)} ${(stat.mode & 0o777).toString(8)}`,
      )
      .sort();

  for (const umask of ["000", "277"]) {
    test(`is for this user alone under a umask of ${umask}`, async () => {
      const wrapper = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
      const data = join(newDataFolder(), "\u009b\u202e.deep");
      const server = await startServer(["--threads", "1"], { data, wrapper });
      await exchange(server.port, post(metric("a")));
      const modes = modesOf(server);
      assert.deepEqual(modes, ["deep 700", "idx 600", "jsonl 600", "lane-0 700", "sock 700"]);
      assert.match(server.error, /\\u009b\\u202e\.deep/);
      assert.doesNotMatch(server.error, STEERING);
      await server.kill();
    });
  }
});

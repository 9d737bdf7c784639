// The server over TLS, as clients meet it: the same answers, limits and drain as without; and SIGHUP, which drops nobody.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  HAS_OPENSSL,
  type MadeCertificate,
  makeCertificate,
  newCertificateFolder,
} from "../support/certificates.ts";
import { storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { batch, errorOf, get, metric, post, type StatsPart } from "../support/requests.ts";
import {
  eventually,
  newDataFolder,
  type ServerProcess,
  spawnServer,
  startServer,
  stopServers,
} from "../support/server-process.ts";
import { breakThread, startBreakableServer } from "../support/thread-faults.ts";
import { exchangeSecure, hangUp, nameShown, openSecure } from "./secure-client.ts";

after(stopServers);

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

if (HAS_OPENSSL) {
  describe("a server with a certificate", { timeout: 60_000 }, () => {
    const folder = newCertificateFolder();
    const configPath = join(folder, "tidemark.yaml");
    const configure = (text: string): void => writeFileSync(configPath, text, { mode: 0o600 });
    let one: MadeCertificate;
    let server: ServerProcess;

    before(async () => {
      one = makeCertificate(folder, "one");
      configure("token: { web: t0ken-of-web }\nconnections-max: 6\n");
      const tls = ["--tls-cert", one.certificatePath, "--tls-key", one.keyPath];
      server = await startBreakableServer(["--config", configPath, "--threads", "2", ...tls]);
    });

    async function stats(): Promise<StatsPart & { connections: { tls_handshakes_failed: number } }> {
      return JSON.parse((await exchangeSecure(server.port, get("/stats"))).body);
    }

    test("says https in its address line, and answers curl there", () => {
      assert.match(server.out, /^tidemark listens on https:\/\/127\.0\.0\.1:\d+$/m);
      const url = `https://127.0.0.1:${server.port}/health`;
      const out = execFileSync("curl", ["-s", "--cacert", one.certificatePath, url], { encoding: "utf8" });
      assert.match(out, /healthy/);
    });

    test("takes pipelined batches, large and small, and stores what it answered 200", async () => {
      const connection = await openSecure(server.port);
      const large = batch(
        Array.from({ length: 1000 }, (_, index) => ({ name: `large_${index}`, value: index })),
      );
      const many = Array.from({ length: 40 }, () => post(metric("piped"), bearer("t0ken-of-web")));
      connection.send(Buffer.concat([...many, post(large, bearer("t0ken-of-web")), get("/health")]));
      for (let count = 0; count < 42; count++) assert.equal((await connection.answer()).status, 200);
      connection.close();
      assert.equal(storedAs(server.data, "piped").length, 40);
      assert.equal(storedAs(server.data, "large_999").length, 1);
    });

    test("answers a client that ends its side with its request", async () => {
      const connection = await openSecure(server.port);
      connection.send(post(metric("last"), bearer("t0ken-of-web")));
      connection.finish();
      assert.equal((await connection.answer()).status, 200);
      assert.equal(await connection.ended(), "fin");
      connection.close();
    });

    test("closes what speaks plain HTTP, counts it, and serves on", async () => {
      const before = (await stats()).connections.tls_handshakes_failed;
      const plain = await RawConnection.open(server.port);
      plain.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.equal(await plain.answerOrEnd().catch(() => null), null);
      plain.close();
      await eventually("it is counted", async () => {
        return (await stats()).connections.tls_handshakes_failed > before;
      });
    });

    test("counts connections in their handshake against --connections-max, and tells the next why", async () => {
      const silent: Socket[] = [];
      const addSilent = () => {
        silent.push(connectPlain(server.port, "127.0.0.1").on("error", () => {}));
      };
      for (let count = 0; count < 6; count++) addSilent();
      await eventually("there is no room", async () => {
        const answer = await exchangeSecure(server.port, get("/health")).catch(() => null);
        // One of the six may have met a connection of the test before, not yet counted out, and been refused itself.
        if (answer?.status === 200) addSilent();
        return answer?.status === 503 && errorOf(answer).includes("--connections-max");
      });
      for (const socket of silent) socket.destroy();
      await eventually("there is room", async () => {
        return (await exchangeSecure(server.port, get("/health")).catch(() => null))?.status === 200;
      });
    });

    test("takes new tokens and a new certificate on SIGHUP, and open connections go on", async () => {
      const open = await openSecure(server.port);
      const ask = async (token: string): Promise<number> => {
        open.send(post(metric("reloaded"), bearer(token)));
        return (await open.answer()).status;
      };
      assert.equal(await ask("t0ken-of-web"), 200);
      configure("token: { db: t0ken-of-db }\nconnections-max: 7\n");
      const two = makeCertificate(folder, "two");
      replace(two, one);
      const line = await hangUp(server);
      assert.match(line, /"tokens_added":\["db"\].*"tokens_removed":\["web"\].*"certificate":"new"/);
      assert.match(server.error, /need a restart.*/);
      assert.match(server.error, /"settings":\["connections-max"\]/);
      assert.equal(await ask("t0ken-of-web"), 401);
      assert.equal(await ask("t0ken-of-db"), 200);
      assert.equal(await nameShown(server.port), "two");
      open.close();
    });

    test("stays as it is where a file is bad, and says so without the secret", async () => {
      const from = server.error.length;
      configure("token: { db: [t0ken-of-db }\n");
      assert.match(await hangUp(server), /is not YAML.*cannot reload/);
      configure("port: 0\n");
      assert.match(await hangUp(server), /no token any more.*cannot reload/);
      configure("token: { db: t0ken-of-db, db2: t0ken-of-db }\n");
      assert.match(await hangUp(server), /each token must have one name.*cannot reload/);
      configure("token: { db: t0ken-of-db }\n");
      const key = readFileSync(one.keyPath, "utf8");
      writeFileSync(one.keyPath, key.slice(0, key.length / 2));
      assert.match(await hangUp(server), /--tls-key.*cannot reload/);
      writeFileSync(one.keyPath, key);
      assert.equal((await exchangeSecure(server.port, post(metric("a"), bearer("t0ken-of-db")))).status, 200);
      assert.doesNotMatch(server.error.slice(from), /t0ken|BEGIN|MIG|MHc/);
    });

    test("gives a replaced thread the tokens and the certificate in force", async () => {
      breakThread(server, 0, "terminate");
      await eventually("both threads serve", async () => {
        // The thread that ends takes its connections with it, and this one may have been among them.
        const threads = (await stats().catch(() => null))?.threads ?? [];
        return (
          threads.length === 2 &&
          threads.every((thread) => thread.os_thread_id !== null) &&
          threads[0]!.restarts > 0
        );
      });
      for (let count = 0; count < 8; count++) {
        const answer = await exchangeSecure(server.port, post(metric("a"), bearer("t0ken-of-db")));
        assert.equal(answer.status, 200);
        assert.equal(await nameShown(server.port), "two");
      }
    });

    test("drains on SIGTERM: what it took is answered, nobody is reset, and it exits 0", async () => {
      const connections = await Promise.all(Array.from({ length: 4 }, () => openSecure(server.port)));
      for (const connection of connections) connection.send(post(metric("drained"), bearer("t0ken-of-db")));
      server.signal("SIGTERM");
      const endings = await Promise.all(
        connections.map(async (connection) => {
          const answers = await connection.answersToTheEnd();
          connection.finish();
          return [answers.map((answer) => answer.status).join(), connection.ending];
        }),
      );
      assert.deepEqual(endings, Array(4).fill(["200", "fin"]));
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.equal(storedAs(server.data, "drained").length, 4);
    });

    function replace(made: MadeCertificate, place: MadeCertificate): void {
      renameSync(made.keyPath, place.keyPath);
      renameSync(made.certificatePath, place.certificatePath);
    }
  });

  test("a key that cannot be used ends the start with 2 and one line", async () => {
    const folder = newCertificateFolder();
    const one = makeCertificate(folder, "one");
    const two = makeCertificate(folder, "two");
    const wrong = spawnServer(["--tls-cert", one.certificatePath, "--tls-key", two.keyPath]);
    assert.equal((await wrong.exited).code, 2);
    assert.match(wrong.error, /^cannot use --tls-key \S+ because it is not the key [^\n]+\n$/);
    const half = spawnServer(["--tls-key", two.keyPath]);
    assert.equal((await half.exited).code, 2);
    assert.match(half.error, /^cannot use --tls-key because [^\n]+ --tls-cert too\n$/);
  });
}

test("SIGHUP does not end a server that has nothing to reload", { timeout: 60_000 }, async () => {
  const server = await startServer(["--threads", "1"], { data: newDataFolder() });
  assert.match(await hangUp(server), /"msg":"reloaded"/);
  assert.equal((await fetch(`${server.address}/health`)).status, 200);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

// TLS and reloads by the hundred: `npm run attack -- tls`, on the runtime that runs this file, some four minutes.
// Certificates and tokens change again and again under load; a crowd begins handshakes and never ends them; SIGTERM comes
// with TLS connections open. Exits 1 where a request failed, a connection was dropped, or a secret got out.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import {
  HAS_OPENSSL,
  type MadeCertificate,
  makeCertificate,
  newCertificateFolder,
} from "../support/certificates.ts";
import { storedAs } from "../support/log-files.ts";
import type { RawConnection } from "../support/raw-client.ts";
import { get, metric, post } from "../support/requests.ts";
import { pause, type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { METRIC, Pushers } from "./pushers.ts";
import { exchangeSecure, hangUp, nameShown, openSecure } from "./secure-client.ts";

const TOKEN = "the-token-that-stays";
/** HEAD_TIMEOUT_MS, and the machine's own slowness. */
const CUT_MS_MAX = 12_000;
const DRIP_MS = 500;

const { values } = parseArgs({
  options: {
    reloads: { type: "string", default: "200" },
    handshakes: { type: "string", default: "1000" },
    drains: { type: "string", default: "10" },
  },
});
const sizes = {
  reloads: Number(values.reloads),
  handshakes: Number(values.handshakes),
  drains: Number(values.drains),
};
const folder = newCertificateFolder();
const configPath = join(folder, "tidemark.yaml");
const faults: string[] = [];

function fault(text: string): void {
  faults.push(text);
  console.error(`FOUND: ${text}`);
}

function configure(extra: string): void {
  writeFileSync(configPath, `token: { web: ${TOKEN}, step: ${extra} }\n`, { mode: 0o600 });
}

function start(made: MadeCertificate): Promise<ServerProcess> {
  const tls = ["--tls-cert", made.certificatePath, "--tls-key", made.keyPath];
  const limits = ["--threads", "2", "--connections-max", "2000", "--rate-limit", "0"];
  return startServer(["--config", configPath, "--log-level", "debug", ...limits, ...tls]);
}

async function statusOn(connection: RawConnection, token: string): Promise<number> {
  connection.send(post(metric("step"), { Authorization: `Bearer ${token}` }));
  return (await connection.answer()).status;
}

async function reloads(): Promise<ReliabilityRow[]> {
  configure("step-token-0");
  const server = await start(makeCertificate(folder, "one"));
  const pushers = new Pushers();
  for (let count = 0; count < 16; count++) pushers.start(server.port, TOKEN, Number.POSITIVE_INFINITY);
  for (let count = 0; count < 4; count++) pushers.start(server.port, TOKEN, 1);
  const open = await Promise.all(Array.from({ length: 4 }, () => openSecure(server.port)));
  const keys: string[] = [];
  let wrong = 0;
  for (let turn = 1; turn <= sizes.reloads; turn++) {
    // The path stays, what is there changes: also the name that is shown.
    const made = makeCertificate(folder, turn % 2 === 0 ? "one" : "other");
    if (turn % 2 === 1) replaceOne(made);
    keys.push(...made.key.split("\n").slice(1, -2));
    configure(`step-token-${turn}`);
    const line = await hangUp(server);
    if (!line.includes('"msg":"reloaded"')) fault(`reload ${turn}: ${line}`);
    const verdicts = await Promise.all([
      ...open
        .slice(0, 2)
        .map(async (connection) => (await statusOn(connection, `step-token-${turn}`)) === 200),
      ...open
        .slice(2)
        .map(async (connection) => (await statusOn(connection, `step-token-${turn - 1}`)) === 401),
      nameShown(server.port).then((name) => name === (turn % 2 === 0 ? "one" : "other")),
    ]);
    const wrongHere = verdicts.filter((isRight) => !isRight).length;
    if (wrongHere > 0) fault(`reload ${turn}: ${wrongHere} of 5 verdicts were those from before it`);
    wrong += wrongHere;
    if (turn % 20 === 0) console.error(`tls: ${turn} of ${sizes.reloads} reloads`);
  }
  const { acknowledged, refused, cut, dropped, unmade } = await pushers.stop();
  for (const connection of open) connection.close();
  const failures = refused + cut + dropped + unmade;
  if (failures > 0) fault(`${refused} refused, ${cut} cut, ${dropped} dropped, ${unmade} not made`);
  const exit = await server.stop();
  if (exit.code !== 0) fault(`the server ended with ${exit.code}`);
  const found = secretsIn(server, [TOKEN, "step-token-", ...keys]);
  return [
    {
      promise: "reload",
      fault: "SIGHUP with a new certificate, key and token, with 20 clients pushing over TLS",
      injected: "files replaced, then kill(2)",
      times: sizes.reloads,
      lost: `${failures} of ${acknowledged.length + failures} requests and connections`,
      measured: `${wrong} wrong verdicts on tokens and certificates after it`,
      asked: "0",
      holds: failures === 0 && wrong === 0,
    },
    {
      promise: "secrets",
      fault:
        "the same, at --log-level debug: the log, the outputs and every file of the data folder searched",
      injected: `${keys.length + 2} secrets`,
      times: sizes.reloads,
      lost: `${found} found`,
      measured: "",
      asked: "",
      holds: found === 0,
    },
  ];
}

function replaceOne(made: MadeCertificate): void {
  writeFileSync(join(folder, "one.key"), made.key);
  writeFileSync(join(folder, "one.crt"), made.certificate);
}

function secretsIn(server: ServerProcess, secrets: readonly string[]): number {
  const files = readdirSync(server.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  const texts = [server.out, server.error, ...files];
  const found = secrets.filter((secret) => texts.some((text) => text.includes(secret)));
  if (found.length > 0) fault(`${found.length} secrets got out`);
  return found.length;
}

/** Half of them say nothing, half drip the beginning of a hello. */
async function handshakes(): Promise<ReliabilityRow> {
  configure("step-token-0");
  const server = await start(makeCertificate(folder, "one"));
  const pushers = new Pushers();
  for (let count = 0; count < 8; count++) pushers.start(server.port, TOKEN, 100);
  const times = await Promise.all(
    Array.from({ length: sizes.handshakes }, (_, index) => unfinished(server.port, index % 2 === 0)),
  );
  const { acknowledged, ...failed } = await pushers.stop();
  const failures = failed.refused + failed.cut + failed.dropped + failed.unmade;
  const longestMs = Math.max(...times);
  if (longestMs > CUT_MS_MAX) fault(`a handshake was open for ${longestMs} ms`);
  if (failures > 0) fault(`others noticed: ${JSON.stringify(failed)}`);
  const { open } = JSON.parse((await exchangeSecure(server.port, get("/stats"))).body).connections;
  console.error(
    `tls: ${times.length} handshakes cut after ${longestMs} ms at most; ${open} connections left`,
  );
  await server.stop();
  return {
    promise: "hostile",
    fault: "TLS handshakes that never end, silent or dripping, all at once",
    injected: "sockets that send a byte of a hello every 500 ms, or none",
    times: times.length,
    lost: `${failures} of ${acknowledged.length + failures} requests of the others`,
    measured: `cut after ${(longestMs / 1000).toFixed(1)} s at most`,
    asked: "10 s and the machine's delay, 12 s",
    holds: failures === 0 && longestMs <= CUT_MS_MAX,
  };
}

/** Milliseconds until the server ends it. */
function unfinished(port: number, drips: boolean): Promise<number> {
  return new Promise((resolve) => {
    const socket = connectPlain(port, "127.0.0.1");
    let beganMs = performance.now();
    let drip: NodeJS.Timeout | undefined;
    socket.on("connect", () => {
      beganMs = performance.now();
      if (!drips) return;
      socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
      drip = setInterval(() => socket.write(Buffer.from([0])), DRIP_MS);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(drip);
      resolve(Math.round(performance.now() - beganMs));
    });
    socket.resume();
  });
}

async function drains(): Promise<ReliabilityRow> {
  let [lost, cut, acknowledgedCount] = [0, 0, 0];
  for (let round = 0; round < sizes.drains; round++) {
    configure("step-token-0");
    const server = await start(makeCertificate(folder, "one"));
    const pushers = new Pushers();
    for (let count = 0; count < 16; count++) pushers.start(server.port, TOKEN, 1_000);
    await pause(500);
    server.signal("SIGTERM");
    await pushers.gone();
    const exit = await server.exited;
    if (exit.code !== 0) fault(`drain ${round}: the server ended with ${exit.code}`);
    const stored = new Set(storedAs(server.data, METRIC).map(({ value }) => value));
    const { pushed } = pushers;
    const lostHere = pushed.acknowledged.filter((value) => !stored.has(value)).length;
    if (lostHere + pushed.cut + pushed.refused > 0)
      fault(`drain ${round}: ${lostHere} lost, ${pushed.cut} cut`);
    lost += lostHere;
    cut += pushed.cut;
    acknowledgedCount += pushed.acknowledged.length;
  }
  return {
    promise: "drain",
    fault: "SIGTERM with 16 clients pushing over TLS",
    injected: "kill(2)",
    times: sizes.drains,
    lost: `${lost} of ${acknowledgedCount} acknowledged metrics; ${cut} requests cut`,
    measured: "",
    asked: "",
    holds: lost === 0 && cut === 0,
  };
}

if (!HAS_OPENSSL) process.exit(2);
const beganMs = performance.now();
const rows = [...(await reloads()), await handshakes(), await drains()];
await stopServers();
const command = `npm run attack -- tls --reloads ${sizes.reloads} --handshakes ${sizes.handshakes} --drains ${sizes.drains}`;
recordRun("tls", command, (performance.now() - beganMs) / 1000, rows);
for (const row of rows)
  console.error(`${row.promise}: ${row.fault}, ${row.times} times: ${row.lost} ${row.measured}`);
process.exit(faults.length > 0 ? 1 : 0);

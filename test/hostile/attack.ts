// The long attack, kind by kind, on one server; good clients are beside it throughout. Each kind tells how late the last
// of its clients was cut, what of the good ones failed meanwhile, and how far memory rose above what the kind began with.

import { spawn } from "node:child_process";
import {
  BODY_TIMEOUT_MS,
  HEAD_TIMEOUT_MS,
  IDLE_BEFORE_ROOM_MS,
  MEMORY_BYTES_MAX_DEFAULT,
  WRITE_TIMEOUT_MS,
} from "../../src/limits.ts";
import { oneOf, randomFrom } from "../crash/random.ts";
import type { ReliabilityRow } from "../reliability/record.ts";
import { RawConnection } from "../support/raw-client.ts";
import { get, metric, post, readStats, request } from "../support/requests.ts";
import { eventually, pause, type ServerProcess, startServer } from "../support/server-process.ts";
import { makeBombs } from "./bombs.ts";
import { GoodProcess } from "./good-process.ts";
import { forgetPeak, peakBytes, residentBytes } from "./server-memory.ts";
import { openSilent, runSlowClients, type SlowKind } from "./slow-clients.ts";

export interface Finding {
  readonly kind: string;
  readonly injected: string;
  readonly times: number;
  readonly measured: string;
  readonly asked: string;
  readonly goodSent: number;
  readonly goodFailed: number;
  readonly memoryBytes: number;
  readonly holds: boolean;
}

function memoryBytesMax(connections: number): number {
  return 2 * MEMORY_BYTES_MAX_DEFAULT + BASE_BYTES + connections * BASE_BYTES_PER_CONNECTION;
}

type Tell = (finding: Finding) => void;

const KEEP_ALIVE_MS = 10_000;
/** The ticks of the coarse clock, and a machine of two cores that has the attackers on it too. */
const LATE_MS_MAX = 5_000;
const GOOD_CLIENTS = 6;
const MIB = 1024 * 1024;
/**
 * What memory may rise by, as docs/operations.md states it: twice --memory-max, since a collector lets as much garbage
 * stand as there is live; the heap's slack; and for each connection its objects, its read and the one answer that waits.
 */
const BASE_BYTES = 192 * MIB;
const BASE_BYTES_PER_CONNECTION = 32 * 1024;

const POST_HEAD = "POST /metrics HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${POST_HEAD}Transfer-Encoding: chunked\r\n\r\n`;

const SLOW_KINDS: readonly (SlowKind & { readonly patienceMs: number })[] = [
  { name: "heads that drip (slowloris)", begin: `${POST_HEAD}X: `, drip: "x", patienceMs: HEAD_TIMEOUT_MS },
  { name: "connections that never say a word", begin: "", drip: "", patienceMs: KEEP_ALIVE_MS },
  {
    name: "silence after a request and a stray CRLF",
    begin: `${get("/health")}\r\n`,
    drip: "",
    patienceMs: KEEP_ALIVE_MS,
  },
  {
    name: "bodies that drip (R-U-Dead-Yet)",
    begin: `${POST_HEAD}Content-Length: 1000\r\n\r\n`,
    drip: " ",
    patienceMs: BODY_TIMEOUT_MS,
  },
  { name: "chunks of one byte that drip", begin: CHUNKED, drip: "1\r\n \r\n", patienceMs: BODY_TIMEOUT_MS },
  {
    name: "pages that are asked for and never read",
    begin: `${get("/stats")}`.repeat(100),
    drip: "",
    isDeaf: true,
    patienceMs: WRITE_TIMEOUT_MS,
  },
];

export async function attackAll(clients: number, seed: number, tell: Tell): Promise<void> {
  const keepAlive = `${KEEP_ALIVE_MS / 1000}s`;
  const server = await startServer([
    "--threads",
    "2",
    "--rate-limit",
    "0",
    "--keep-alive-timeout",
    keepAlive,
  ]);
  const good = new GoodProcess(server.port, GOOD_CLIENTS, "good");
  await eventually("the good clients are served", () => good.sent > 2 * GOOD_CLIENTS);
  const startBytes = residentBytes(server.child.pid!);
  const beside = (kind: string, injected: string, work: () => Promise<Outcome>) =>
    runBeside(server, good, startBytes, kind, injected, work).then(tell);

  for (const kind of SLOW_KINDS) {
    await beside(kind.name, "sockets of the test's process", () => slow(server, clients, kind));
  }
  await beside("bodies of 1 MiB, all promised at once", "sockets of the test's process", () =>
    promise(server, clients),
  );
  await beside("slowhttptest -H, -B, -R and -X", "slowhttptest", () => slowHttpTest(server, clients / 8));
  await beside("floods and bombs", "crowds of requests in one write", () => flood(server, seed));
  await beside("connects that are reset at once", "RST from the client", () => reset(server, 2 * clients));

  await good.end();
  await server.stop();
  const { answered, lost, twice } = await good.compare(server.data);
  tell({
    kind: "the log afterwards",
    injected: "all of the above",
    times: answered,
    measured: `${answered} of ${good.sent} answered 200; ${lost} lost, ${twice} twice`,
    asked: "all answered 200, each once in the log",
    goodSent: good.sent,
    goodFailed: good.failures.length,
    memoryBytes: 0,
    holds: answered === good.sent && lost + twice === 0,
  });
  for (const failure of good.failures.slice(0, 20)) console.error(`seed ${seed}: ${failure}`);
  tell(await cap());
}

interface Outcome {
  readonly times: number;
  readonly measured: string;
  readonly asked: string;
  readonly holds: boolean;
}

async function runBeside(
  server: ServerProcess,
  good: GoodProcess,
  startBytes: number,
  kind: string,
  injected: string,
  work: () => Promise<Outcome>,
): Promise<Finding> {
  const pid = server.child.pid!;
  await good.mark();
  const { sent } = good;
  const failedBefore = good.failures.length;
  forgetPeak(pid);
  const outcome = await work();
  const memoryBytes = peakBytes(pid) - startBytes;
  const goodFailed = good.failures.length - failedBefore;
  const isBounded = memoryBytes <= memoryBytesMax(outcome.times);
  await eventually("only the good clients are left", async () => {
    const { connections, memory } = await readStats(server.port);
    return connections.open <= 2 * GOOD_CLIENTS && memory.budget_used_bytes < MIB;
  });
  return {
    ...outcome,
    kind,
    injected,
    goodSent: good.sent - sent,
    goodFailed,
    memoryBytes,
    measured:
      `${outcome.measured}; memory at most ${Math.round(memoryBytes / MIB)} MiB over the ${Math.round(startBytes / MIB)} of the start; ` +
      `slowest good answer ${Math.round(good.msMax)} ms`,
    holds: outcome.holds && goodFailed === 0 && isBounded && !server.hasExited,
  };
}

async function slow(
  server: ServerProcess,
  clients: number,
  kind: (typeof SLOW_KINDS)[number],
): Promise<Outcome> {
  const { patienceMs } = kind;
  const startedMs = performance.now();
  const asked = `all cut within ${patienceMs / 1000} s and ${LATE_MS_MAX / 1000} s for two cores with the attackers on them`;
  if (kind.isDeaf) {
    // A client that never reads does not notice its end: the server's own count shows it.
    // Patience with each begins once its buffers are full, and for thousands of clients those take their time.
    const msMax = 2 * patienceMs + LATE_MS_MAX;
    const attack = runSlowClients(server.port, clients, kind, msMax);
    let openMax = 0;
    let allCutMs = Number.POSITIVE_INFINITY;
    while (performance.now() - startedMs < msMax && allCutMs === Number.POSITIVE_INFINITY) {
      const { connections } = await readStats(server.port);
      openMax = Math.max(openMax, connections.open);
      if (openMax >= clients / 2 && connections.open <= 2 * GOOD_CLIENTS)
        allCutMs = performance.now() - startedMs;
      await pause(200);
    }
    await attack;
    const seconds = (allCutMs / 1000).toFixed(1);
    return {
      times: clients,
      measured: `all ${openMax} that were open were cut ${seconds} s after the first of them began`,
      asked: `all cut ${patienceMs / 1000} s after an answer found no room; as long again for filling all the buffers`,
      holds: openMax >= clients * 0.9 && allCutMs <= 2 * patienceMs,
    };
  }
  const outcome = await runSlowClients(server.port, clients, kind, patienceMs + 2 * LATE_MS_MAX);
  const answers = [...outcome.answers].map(([line, count]) => `${line || "no answer"} ${count}`).join(", ");
  return {
    times: outcome.opened,
    measured:
      `${outcome.cut} of ${outcome.opened} cut, ${(outcome.cutMsMin / 1000).toFixed(1)} to ` +
      `${(outcome.cutMsMax / 1000).toFixed(1)} s after their first byte (${answers})`,
    asked,
    holds: outcome.cut === clients && outcome.cutMsMax <= patienceMs + LATE_MS_MAX,
  };
}

/** Bodies just below --body-max, nearly whole, then nothing: refused for want of memory, or cut by the body's deadline. */
async function promise(server: ServerProcess, clients: number): Promise<Outcome> {
  const part = " ".repeat(900 * 1024);
  const begin = `${POST_HEAD}Content-Length: ${MIB - 1}\r\n\r\n${part}`;
  const kind = { name: "promise", begin, drip: "" };
  const outcome = await runSlowClients(server.port, clients, kind, BODY_TIMEOUT_MS + 2 * LATE_MS_MAX);
  const count = (status: number): number =>
    [...outcome.answers].reduce((sum, [line, times]) => sum + (line.includes(` ${status} `) ? times : 0), 0);
  return {
    times: outcome.opened,
    measured: `${count(503)} refused with 503, ${count(408)} cut with 408, ${outcome.cut - count(503) - count(408)} otherwise`,
    asked: "503 memory beyond --memory-max 256MiB; all ended",
    holds: outcome.cut === clients && count(503) > 0,
  };
}

async function slowHttpTest(server: ServerProcess, clients: number): Promise<Outcome> {
  const url = `${server.address}/metrics`;
  const shared = ["-c", `${clients}`, "-r", "200", "-i", "1", "-l", "40", "-p", "3"];
  const modes = [
    ["-H", "-u", url],
    ["-B", "-s", "8192", "-u", url],
    ["-R", "-u", url],
    ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5", "-k", "20", "-u", `${server.address}/stats`],
  ];
  const said = await Promise.all(modes.map((mode) => runProgram("slowhttptest", [...mode, ...shared])));
  const unavailable = said.filter((text) => /service available:\s+(\S*m)?NO/.test(text)).length;
  const ran = said.filter((text) => /service available/.test(text)).length;
  return {
    times: modes.length * clients,
    measured:
      ran === 0
        ? "slowhttptest is not there"
        : `its probe found the service away in ${unavailable} of the ${ran} modes that told`,
    asked: "available throughout",
    holds: unavailable === 0,
  };
}

function runProgram(name: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(name, words, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const add = (bytes: Buffer): void => {
      text = (text + bytes.toString("latin1")).slice(-4_000);
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", () => resolve(""));
    child.on("close", () => resolve(text));
  });
}

async function flood(server: ServerProcess, seed: number): Promise<Outcome> {
  const random = randomFrom(seed);
  const kinds = [
    post(metric("flood")),
    post("{"),
    get("/stats"),
    get("/metrics"),
    get("/nowhere"),
    request("HEAD", "/health"),
  ];
  let times = 0;
  let answered = 0;
  const crowds = Array.from({ length: 10 }, () =>
    Buffer.concat(Array.from({ length: 10_000 }, () => oneOf(random, kinds))),
  );
  await Promise.all(
    crowds.map(async (crowd) => {
      const connection = await RawConnection.open(server.port);
      connection.socket.removeAllListeners("data");
      connection.socket.on("data", () => answered++);
      connection.send(crowd);
      times += 10_000;
      await pause(10_000);
      connection.close();
    }),
  );
  for (const bytesMax of [256 * 1024, MIB]) {
    for (const { coding, bytes } of makeBombs(bytesMax)) {
      const bomber = await RawConnection.open(server.port);
      bomber.send(post(bytes, { "Content-Encoding": coding }));
      const { status } = await bomber.answer();
      bomber.close();
      if (status === 200) throw new Error(`a ${coding} bomb was taken for a batch`);
      times++;
    }
  }
  const spins = server.error.includes("spins");
  return {
    times,
    measured: spins ? "a thread was taken for one that spins" : "every thread went on",
    asked: "no thread is held up",
    holds: !spins && answered > 0,
  };
}

async function reset(server: ServerProcess, connects: number): Promise<Outcome> {
  let resets = 0;
  for (let left = connects; left > 0; left -= 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const client = await RawConnection.open(server.port);
        if (at % 2 === 0) client.send(POST_HEAD);
        client.socket.resetAndDestroy();
        resets++;
      }),
    );
  }
  return { times: resets, measured: `${resets} connects reset`, asked: "nothing stays behind", holds: true };
}

/** Three times as many silent clients as there are places: how long a new client waits for one. */
async function cap(): Promise<Finding> {
  const places = 1_000;
  const server = await startServer(["--threads", "2", "--connections-max", `${places}`]);
  const good = new GoodProcess(server.port, 1, "kept");
  await eventually("the good client is served", () => good.sent > 2);
  const silent = await openSilent(server.port, 3 * places);
  const fullMs = performance.now();
  await eventually(
    "a new client is served",
    () =>
      readStats(server.port).then(
        (stats) => stats.requests > 0,
        () => false,
      ),
    60_000,
  );
  const waitedMs = performance.now() - fullMs;
  await good.end();
  for (const socket of silent) socket.destroy();
  await server.stop();
  const { lost, twice } = await good.compare(server.data);
  return {
    kind: `${3 * places} silent connects where --connections-max is ${places}`,
    injected: "sockets of the test's process",
    times: 3 * places,
    measured: `a new client was served ${(waitedMs / 1000).toFixed(1)} s after the places were taken`,
    asked: `when one was silent for ${IDLE_BEFORE_ROOM_MS / 1000} s, not for --keep-alive-timeout (75 s)`,
    goodSent: good.sent,
    goodFailed: good.failures.length,
    memoryBytes: 0,
    holds: waitedMs <= IDLE_BEFORE_ROOM_MS + LATE_MS_MAX && good.failures.length === 0 && lost + twice === 0,
  };
}

export function rowsOf(findings: readonly Finding[]): ReliabilityRow[] {
  const rows = findings.map(
    ({ kind, injected, times, measured, asked, goodSent, goodFailed, holds }): ReliabilityRow => ({
      promise: "hostile",
      fault: kind,
      injected,
      times,
      lost: `${goodFailed} of ${goodSent} good requests failed`,
      measured,
      asked,
      holds,
    }),
  );
  const most = Math.max(...findings.map(({ memoryBytes }) => memoryBytes));
  const clients = Math.max(...findings.map(({ times }) => times));
  rows.push({
    promise: "memory",
    fault: "all of these kinds, one after the other",
    injected: "peak resident memory of the process",
    times: findings.length,
    lost: "",
    measured: `at most ${Math.round(most / MIB)} MiB over what the server had before them`,
    asked: `twice --memory-max (256 MiB), a base of ${BASE_BYTES / MIB} MiB and ${BASE_BYTES_PER_CONNECTION / 1024} KiB a connection`,
    holds: clients > 0 && most <= memoryBytesMax(4_000),
  });
  return rows;
}

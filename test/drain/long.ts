// SIGTERM under full load, again and again: `npm run attack -- drain --times 50 --seed N`. What a client had an answer for is
// stored once and nothing else is, no request that the server had taken is cut off, and it exits 0 in 5 s. A request on a
// new connection that the kernel had taken and the server had not is counted apart.

import { parseArgs } from "node:util";
import { oneOf, type Random, randomFrom, wholeBetween } from "../crash/random.ts";
import { DrainClients, METRIC } from "../e2e/drain-clients.ts";
import { recordRun } from "../reliability/record.ts";
import { storedAs } from "../support/log-files.ts";
import { eventually, startServer, stopServers } from "../support/server-process.ts";
import { wholeNumber } from "../support/whole-number.ts";

/** The promise: from the signal to the exit, milliseconds. */
const EXIT_MS_MAX = 5_000;

const sums = {
  times: 0,
  requests: 0,
  acknowledged: 0,
  lost: 0,
  unasked: 0,
  cut: 0,
  neverTaken: 0,
  drainsWithNeverTaken: 0,
  badExits: 0,
  exitMsMax: 0,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      times: { type: "string", default: "50" },
      seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
    },
  });
  const times = wholeNumber("--times", values.times);
  const seed = wholeNumber("--seed", values.seed);
  const startedMs = performance.now();
  const random = randomFrom(seed);
  for (let time = 0; time < times; time++) {
    await drainOnce(random, (problem) => console.error(`seed ${seed}, drain ${time}: ${problem}`));
    await stopServers();
    if (time % 10 === 9) console.error(`${time + 1} of ${times} drains: ${JSON.stringify(sums)}`);
  }
  const { lost, cut, badExits, unasked, neverTaken, drainsWithNeverTaken } = sums;
  const injected =
    "kill(2) from the clients' process; kept, closing and half-sent requests on 36 connections";
  const figure = (count: number): string => count.toLocaleString("en-US");
  const holds = lost + cut + badExits + unasked === 0;
  recordRun(
    "drain",
    `npm run attack -- drain --times ${times} --seed ${seed}`,
    (performance.now() - startedMs) / 1000,
    [
      {
        promise: "drain",
        fault: "SIGTERM under full load",
        injected,
        times,
        lost: `${figure(lost)} of ${figure(sums.acknowledged)} metrics acknowledged`,
        measured: `${cut} requests cut off, ${badExits} exits other than 0, the slowest after ${(sums.exitMsMax / 1000).toFixed(1)} s`,
        asked: "0 cut off, exit 0 within 5 s",
        holds,
      },
      {
        promise: "drain",
        fault: "SIGTERM under full load: first requests on connections that the server had not taken",
        injected,
        times,
        lost: "none was answered",
        measured: `${neverTaken} of ${figure(sums.requests)} requests reset, in ${drainsWithNeverTaken} drains`,
        asked: "0",
        holds: neverTaken === 0,
      },
    ],
  );
  process.exitCode = holds ? 0 : 1;
}

async function drainOnce(random: Random, tell: (problem: string) => void): Promise<void> {
  const threads = oneOf(random, ["1", "1", "2", "3"]);
  const ack = oneOf(random, ["written", "written", "synced"]);
  const server = await startServer(["--threads", threads, "--ack", ack, "--rate-limit", "0"]);
  const clients = new DrainClients(server);
  const done = clients.run();
  const loaded = wholeBetween(random, 300, 2_000);
  await eventually("there is load", () => clients.acknowledged.length > loaded);
  const beganMs = performance.now();
  const exit = await server.stop();
  const exitMs = performance.now() - beganMs;
  await done;

  sums.times++;
  sums.exitMsMax = Math.max(sums.exitMsMax, exitMs);
  sums.requests += clients.sent;
  sums.acknowledged += clients.acknowledged.length;
  sums.cut += clients.cut.length;
  sums.neverTaken += clients.neverTaken;
  if (clients.neverTaken > 0) sums.drainsWithNeverTaken++;
  if (exit.code !== 0 || exitMs > EXIT_MS_MAX) {
    sums.badExits++;
    tell(
      `it ended with ${exit.code ?? exit.signal} after ${Math.round(exitMs)} ms: ${server.error.slice(-500)}`,
    );
  }
  for (const cut of clients.cut) tell(`--threads ${threads} --ack ${ack}: ${cut}`);
  compare(
    clients.acknowledged,
    storedAs(server.data, METRIC).map(({ value }) => value),
    tell,
  );
}

/** All that was acknowledged is stored once; what was never answered may not be either, since all were. */
function compare(
  acknowledged: readonly number[],
  stored: readonly number[],
  tell: (problem: string) => void,
): void {
  const there = new Set(stored);
  const asked = new Set(acknowledged);
  const lost = acknowledged.filter((value) => !there.has(value));
  const unasked = stored.length - there.size + stored.filter((value) => !asked.has(value)).length;
  sums.lost += lost.length;
  sums.unasked += unasked;
  if (lost.length > 0) tell(`acknowledged and not in the log: ${lost.slice(0, 10).join(", ")}`);
  if (unasked > 0) tell(`${unasked} metrics in the log twice or without an answer`);
}

await main();

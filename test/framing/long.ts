// Framing attacked: `npm run attack -- framing --mutations 100000 --seed N`, on the runtime that runs this file. Every
// attack goes to the server's connection whole and in pieces, and through nginx and haproxy where they are installed;
// SERVER_MUTATIONS of them to a running server. The published cases of Http11Probe are counted too.

import { parseArgs } from "node:util";
import { observeProbes, probeFault, readProbeCases } from "../conformance/probe-run.ts";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { stopForeignServers } from "../support/foreign-server.ts";
import { startServer, stopServers } from "../support/server-process.ts";
import { attackCuts } from "./cut-run.ts";
import { missingPrograms } from "./proxies.ts";
import { type AttackRange, attackProxies, type ProxyTally } from "./proxy-run.ts";
import { attackServer } from "./socket-run.ts";

const SERVER_MUTATIONS = 20_000;
const PROBLEMS_SHOWN_MAX = 20;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mutations: { type: "string", default: "100000" },
      seed: { type: "string", default: `${Date.now() % 1e9}` },
    },
  });
  const range = { seed: Number(values.seed), from: 0, to: Number(values.mutations) };
  const startedMs = performance.now();
  const rows: ReliabilityRow[] = [...cutRows(range), ...(await serverRows(range)), ...(await probeRows())];
  const missing = missingPrograms();
  if (missing.length > 0)
    console.error(`the proxies are skipped because ${missing.join(" and ")} is missing`);
  else rows.push(...(await attackProxies(range)).flatMap(proxyRows));
  await stopForeignServers();
  await stopServers();
  const command = `npm run attack -- framing --mutations ${range.to} --seed ${range.seed}`;
  recordRun("framing", command, (performance.now() - startedMs) / 1000, rows);
  for (const { fault, lost, measured } of rows) console.error(`${fault}: ${lost}; ${measured}`);
  process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;
}

function cutRows(range: AttackRange): ReliabilityRow[] {
  const differing = attackCuts(range);
  show(differing);
  return [
    {
      promise: "framing",
      fault: "a broken request that comes in pieces",
      injected: "its bytes to the server's connection whole, and cut at 1 to 4 random places",
      times: range.to,
      lost: `${differing.length} read otherwise in pieces`,
      measured: "",
      asked: "0",
      holds: differing.length === 0,
    },
  ];
}

async function serverRows(range: AttackRange): Promise<ReliabilityRow[]> {
  const server = await startServer(["--threads", "1", "--rate-limit", "0", "--log-level", "warn"]);
  const to = Math.min(SERVER_MUTATIONS, range.to);
  const tally = await attackServer(server.port, { ...range, to });
  const isAlive = !server.hasExited;
  await server.stop();
  show([...tally.otherwise, ...tally.unclean]);
  const injected = "over a socket, in two writes, with a recognisable request behind it";
  return [
    {
      promise: "framing",
      fault: "a broken request to the running server",
      injected,
      times: tally.mutations,
      lost: `${tally.otherwise.length} answered more or less often than there are requests`,
      measured: `${tally.answers.toLocaleString("en-US")} answers; the server ${isAlive ? "lives" : "died"}`,
      asked: "0",
      holds: tally.otherwise.length === 0 && isAlive,
    },
    {
      promise: "secrets",
      fault: "control characters and raw bytes in a request",
      injected,
      times: tally.errors,
      lost: `${tally.unclean.length} error answers with one of them, or with a body that is not JSON`,
      measured: "",
      asked: "0",
      holds: tally.unclean.length === 0,
    },
  ];
}

async function probeRows(): Promise<ReliabilityRow[]> {
  const cases = readProbeCases();
  if (cases.length === 0) {
    console.error("Http11Probe is skipped because its cases are not here");
    return [];
  }
  const server = await startServer(["--threads", "1"]);
  const observed = await observeProbes(cases, server.port);
  await server.stop();
  const scored = cases.filter((probe) => probe.scored);
  const failed = scored
    .map((probe) => ({ probe, fault: probeFault(probe, observed.get(probe.id)!) }))
    .filter(({ fault }) => fault !== "");
  show(failed.map(({ probe, fault }) => `${probe.id}: ${fault}`));
  return [
    {
      promise: "framing",
      fault: "the published cases of Http11Probe",
      injected: "each on a connection of its own, and one more request behind each that is answered as good",
      times: scored.length,
      lost: `${failed.length} of ${scored.length} scored cases failed`,
      measured: "",
      asked: "0",
      holds: failed.length === 0,
    },
  ];
}

function proxyRows(tally: ProxyTally): ReliabilityRow[] {
  show([...tally.smuggled, ...tally.unexplained]);
  const explained = [...tally.explained.values()].reduce((sum, times) => sum + times, 0);
  const figure = (count: number) => count.toLocaleString("en-US");
  return [
    {
      promise: "framing",
      fault: `what ${tally.proxy} forwards of a broken request as one`,
      injected: "the exact bytes that it sends to the server behind it, a connection for each, to the parser",
      times: tally.forwarded,
      lost: `${tally.smuggled.length} read as more or as less than one request`,
      measured: "",
      asked: "0",
      holds: tally.smuggled.length === 0,
    },
    {
      promise: "framing",
      fault: `a broken request that ${tally.proxy} takes otherwise`,
      injected: "the same bytes to both, with a recognisable request behind them",
      times: tally.mutations,
      lost: `${tally.unexplained.length} without a reason why it cannot smuggle`,
      measured:
        `${figure(tally.same)} taken alike, ${figure(tally.stricter)} refused here only, ${figure(explained)} ` +
        `refused there only, for ${tally.explained.size} reasons (test/framing/reasons.ts)`,
      asked: "0",
      holds: tally.unexplained.length === 0,
    },
  ];
}

function show(problems: readonly string[]): void {
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) console.error(problem);
  if (problems.length > PROBLEMS_SHOWN_MAX)
    console.error(`… and ${problems.length - PROBLEMS_SHOWN_MAX} more`);
}

await main();

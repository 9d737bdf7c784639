// wrk as the load: closed loop, one thread, requests formatted once at its start and sent in turn.
// The requests rotate over client names because tidemark's default limit is 10,000 requests/s a client;
// every contender gets the same names. Its summary comes back as one line of JSON.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender, RunningServer } from "../contender.ts";
import { spawnPinned } from "../pinned.ts";
import { findProgram } from "../programs.ts";
import type { Metric } from "../workload.ts";

export const CLIENT_NAMES = 64;

export interface LoadSummary {
  readonly durationUs: number;
  readonly requests: number;
  readonly latencyUsP50: number;
  readonly latencyUsP90: number;
  readonly latencyUsP99: number;
  readonly latencyUsP999: number;
  readonly latencyUsMax: number;
  readonly errors: Readonly<Record<"connect" | "read" | "write" | "status" | "timeout", number>>;
}

export function findMissingWrk(): string | null {
  return findProgram("wrk") === null ? "wrk is not installed" : null;
}

/** Writes the script and its bodies into `folder`; returns the script's path. */
export function writeLoadScript(
  folder: string,
  contender: Contender,
  batches: readonly (readonly Metric[])[],
): string {
  const bodies = join(folder, "bodies");
  mkdirSync(bodies, { recursive: true });
  batches.forEach((batch, index) => {
    writeFileSync(join(bodies, String(index)), contender.encode(batch));
  });
  const path = join(folder, "load.lua");
  writeFileSync(path, formatScript(bodies, contender, batches.length));
  return path;
}

export async function runLoad(
  server: RunningServer,
  script: string,
  connections: number,
  seconds: number,
): Promise<LoadSummary> {
  const url = `http://127.0.0.1:${server.port}`;
  const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script, url];
  const child = spawnPinned("load", [findProgram("wrk")!, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  const line = text.split("\n").findLast((candidate) => candidate.startsWith('{"durationUs"'));
  if (line === undefined)
    throw new Error(`cannot read what wrk said: ${text.trim() || `exit ${child.exitCode}`}`);
  return JSON.parse(line) as LoadSummary;
}

export function countFailures(summary: LoadSummary): number {
  return Object.values(summary.errors).reduce((sum, count) => sum + count, 0);
}

// wrk.format adds Host and Content-Length. request() does no more than look a string up: it runs for every request.
function formatScript(bodies: string, contender: Contender, bodyCount: number): string {
  return `
local requests = {}
local next = 0

function init()
  for i = 0, ${CLIENT_NAMES - 1} do
    local file = assert(io.open("${bodies}/" .. (i % ${bodyCount}), "rb"))
    local headers = { ["Content-Type"] = "${contender.contentType}", ["X-Client-Id"] = "bench-" .. i }
    requests[i] = wrk.format("POST", "${contender.target}", headers, file:read("*a"))
    file:close()
  end
end

function request()
  next = (next + 1) % ${CLIENT_NAMES}
  return requests[next]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"durationUs":%d,"requests":%d,"latencyUsP50":%d,"latencyUsP90":%d,"latencyUsP99":%d,"latencyUsP999":%d,"latencyUsMax":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n',
    summary.duration, summary.requests, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9), latency.max, e.connect, e.read, e.write, e.status, e.timeout))
end
`;
}

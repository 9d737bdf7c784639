// Does everybody get a 200? Paced clients from one address, level by level, as the first capacity test of this kind
// of server did it; then many connections that say nothing while a few send as fast as they can.

import { fileURLToPath } from "node:url";
import { type Contender, type RunningServer, withServer } from "../contender.ts";
import { withFolder, writeBody } from "../folder.ts";
import { Holder } from "../load/holder.ts";
import { countFailures, runLoad, writeLoadScript } from "../load/wrk.ts";
import type { Options } from "../options.ts";
import { spawnPinned } from "../pinned.ts";
import { formatMs, formatShare, print } from "../print.ts";
import { findRuntime } from "../programs.ts";
import type { LadderFigures, Result } from "../result.ts";
import { makeBatches } from "../workload.ts";

const LEVELS = [20, 50, 100, 200, 500, 1000] as const;
const PACE_MS = 100;
const HELD_CONNECTIONS = 10_000;
const HELD_SENDERS = 64;

type Level = LadderFigures["levels"][number];

export async function runLadder(
  contenders: readonly Contender[],
  options: Options,
  projectFolder: string,
): Promise<Omit<Result, "date" | "machine">> {
  const node = findRuntime("node", projectFolder)!;
  const figures: LadderFigures[] = [];
  for (const contender of contenders) {
    const levels: Level[] = [];
    let skipped = contender.missing();
    try {
      if (skipped === null) await climb(contender, node, options, (level) => levels.push(level));
    } catch (error) {
      skipped = (error as Error).message;
    }
    figures.push({ contender: contender.id, label: contender.label, skipped, levels });
  }
  return {
    scenario: "ladder",
    title: `clients that each send a batch every ${PACE_MS} ms, and held connections`,
    settings: { seconds: options.seconds, paceMs: PACE_MS, metricsPerBatch: 3 },
    figures,
  };
}

async function climb(
  contender: Contender,
  node: string,
  options: Options,
  record: (level: Level) => void,
): Promise<void> {
  await withFolder((folder, serverFolder) =>
    withServer(contender, serverFolder, async (server) => {
      const bodyPath = writeBody(folder);
      for (const clients of LEVELS) {
        const level = await runPaced(node, server.port, clients, options.seconds, bodyPath);
        printLevel(contender.label, level);
        record(level);
      }
      const script = writeLoadScript(folder, contender, makeBatches(64, 3, Date.now()));
      const level = await runHeld(node, server, script, bodyPath, options.seconds);
      printLevel(contender.label, level);
      record(level);
    }),
  );
}

async function runPaced(
  node: string,
  port: number,
  clients: number,
  seconds: number,
  body: string,
): Promise<Level> {
  const program = fileURLToPath(new URL("../load/paced-client.ts", import.meta.url));
  const command = [node, program, ...[port, clients, PACE_MS, seconds].map(String), body];
  const child = spawnPinned("load", command, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  if (text === "")
    throw new Error(`cannot measure ${clients} clients because the client ended with ${child.exitCode}`);
  return { clients, held: 0, ...(JSON.parse(text) as Omit<Level, "clients" | "held">) };
}

/** A held connection that is lost, or whose batch afterwards is not answered 200, counts as a failed request. */
async function runHeld(
  node: string,
  server: RunningServer,
  script: string,
  body: string,
  seconds: number,
): Promise<Level> {
  const holder = new Holder(node, server.port, HELD_CONNECTIONS, body);
  try {
    const opened = await holder.ask("open");
    const summary = await runLoad(server, script, HELD_SENDERS, seconds);
    const after = await holder.ask("count");
    const { answered } = await holder.ask("send");
    const failures = {
      "not opened": HELD_CONNECTIONS - opened.open,
      "lost while held": opened.open - after.open,
      "not answered afterwards": after.open - answered,
      "by the senders": countFailures(summary),
    };
    const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
    const requests = summary.requests + HELD_CONNECTIONS;
    return {
      clients: HELD_SENDERS,
      held: HELD_CONNECTIONS,
      requests,
      successes: requests - failed,
      failuresByClass: Object.fromEntries(Object.entries(failures).filter(([, count]) => count > 0)),
      latencyUsP50: summary.latencyUsP50,
      latencyUsP99: summary.latencyUsP99,
    };
  } finally {
    await holder.close();
  }
}

function printLevel(label: string, level: Level): void {
  const share = formatShare(level.successes / level.requests);
  const failures = Object.entries(level.failuresByClass).map(([reason, count]) => `${count} ${reason}`);
  print(
    `  ${label.padEnd(34)} ${String(level.clients).padStart(5)} clients, ${level.held} held: ${share} of ${level.requests}` +
      `, p50 ${formatMs(level.latencyUsP50)}, p99 ${formatMs(level.latencyUsP99)} ${failures.join(", ")}`,
  );
}

// How long after a crash the first batch is taken again, with 1 GiB of log to look through. tidemark writes the log
// itself, under load, and is killed while it does: what is left is what a crash leaves, half a block at the end
// included. Each restart is killed in turn. The page cache is as the kernel left it, that is warm.
import { readdirSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type Contender, type RunningServer, withServer } from "../contender.ts";
import { withFolder } from "../folder.ts";
import { findMissingWrk, runLoad, writeLoadScript } from "../load/wrk.ts";
import type { Options } from "../options.ts";
import { killChild } from "../pinned.ts";
import { print } from "../print.ts";
import { median, type RestartFigures, type Result } from "../result.ts";
import { encodeTidemark, makeBatches } from "../workload.ts";

const LOG_BYTES = 1024 * 1024 * 1024;
const FILL_SECONDS_MAX = 120;
const ANSWER_MS_MAX = 30_000;

export async function runRestart(
  contenders: readonly Contender[],
  options: Options,
): Promise<Omit<Result, "date" | "machine">> {
  const figures: RestartFigures[] = [];
  for (const contender of contenders) {
    const blank: RestartFigures = {
      contender: contender.id,
      label: contender.label,
      skipped: contender.missing() ?? findMissingWrk(),
      logBytes: 0,
      firstAnswerMs: [],
      firstAnswerMsMedian: null,
      unindexedFirstAnswerMs: [],
      unindexedFirstAnswerMsMedian: null,
    };
    figures.push(blank.skipped === null ? await measureContender(contender, options, blank) : blank);
  }
  return {
    scenario: "restart",
    title: "spawn to the first batch answered, after SIGKILL under load",
    settings: { restarts: options.rounds, logBytes: LOG_BYTES },
    figures,
  };
}

async function measureContender(
  contender: Contender,
  options: Options,
  blank: RestartFigures,
): Promise<RestartFigures> {
  try {
    return await withFolder(async (folder, serverFolder) => {
      const script = writeLoadScript(folder, contender, makeBatches(16, 1000, Date.now()));
      await fill(contender, serverFolder, script);
      const logBytes = sumBytes(serverFolder);
      const firstAnswerMs: number[] = [];
      const unindexedFirstAnswerMs: number[] = [];
      for (let round = 0; round < options.rounds; round++) {
        firstAnswerMs.push(await timeRestart(contender, serverFolder));
        removeIndexes(serverFolder);
        unindexedFirstAnswerMs.push(await timeRestart(contender, serverFolder));
      }
      const firstAnswerMsMedian = median(firstAnswerMs);
      const unindexedFirstAnswerMsMedian = median(unindexedFirstAnswerMs);
      print(
        `  ${contender.label.padEnd(34)} ${firstAnswerMsMedian?.toFixed(0)} ms` +
          `, without .idx ${unindexedFirstAnswerMsMedian?.toFixed(0)} ms, ${logBytes} bytes of log`,
      );
      return {
        ...blank,
        logBytes,
        firstAnswerMs,
        firstAnswerMsMedian,
        unindexedFirstAnswerMs,
        unindexedFirstAnswerMsMedian,
      };
    });
  } catch (error) {
    return { ...blank, skipped: (error as Error).message };
  }
}

/** Loads until the folder holds LOG_BYTES, then kills while the load goes on. */
async function fill(contender: Contender, folder: string, script: string): Promise<void> {
  await withServer(contender, folder, async (server) => {
    const deadline = performance.now() + FILL_SECONDS_MAX * 1000;
    while (sumBytes(folder) < LOG_BYTES) {
      if (performance.now() > deadline) {
        throw new Error(`cannot fill the log because ${FILL_SECONDS_MAX} s gave ${sumBytes(folder)} bytes`);
      }
      await runLoad(server, script, 16, 1);
    }
    await killUnderLoad(server, script);
  });
}

async function killUnderLoad(server: RunningServer, script: string): Promise<void> {
  const load = runLoad(server, script, 16, 1).catch(() => null); // it loses its server, as it should
  await new Promise((resolve) => setTimeout(resolve, 300));
  await killChild(server.child);
  await load;
}

async function timeRestart(contender: Contender, folder: string): Promise<number> {
  const startMs = performance.now();
  return withServer(contender, folder, async (server) => {
    while (!(await tryBatch(server.port))) {
      if (performance.now() - startMs > ANSWER_MS_MAX) {
        throw new Error(`cannot time the restart because ${ANSWER_MS_MAX} ms brought no 200`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const elapsedMs = performance.now() - startMs;
    await killChild(server.child);
    return elapsedMs;
  });
}

function tryBatch(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/json", Connection: "close" };
    const outgoing = request(
      { port, host: "127.0.0.1", path: "/metrics", method: "POST", headers },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    outgoing.once("error", () => resolve(false));
    outgoing.end(encodeTidemark(makeBatches(1, 3, Date.now())[0]!));
  });
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Allocated ahead or not, what counts is what can be read. */
function sumBytes(folder: string): number {
  return listFiles(folder)
    .filter((path) => path.endsWith(".jsonl"))
    .reduce((sum, path) => sum + statSync(path).size, 0);
}

function removeIndexes(folder: string): void {
  for (const path of listFiles(folder)) if (path.endsWith(".idx")) rmSync(path);
}

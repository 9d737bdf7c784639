// One start on a made log: how long until the first batch is answered, what it took of memory until then, and whether all
// that was whole is still there. Time counts from the process's birth, the runtime's own start included.

import { readFileSync } from "node:fs";
import { exchange } from "../support/raw-client.ts";
import { metric, post, readStats } from "../support/requests.ts";
import { pause, startServer } from "../support/server-process.ts";
import {
  countLastLines,
  dropCaches,
  type End,
  endRun,
  LANES,
  type MadeLog,
  relayLast,
  SMALL_COMMIT_LINES,
} from "./made-log.ts";

const FLAGS = ["--threads", `${LANES}`, "--log-level", "error"];
const ANSWER_MS_MAX = 60_000;

export interface Restart {
  readonly firstAnswerMs: number;
  /** Most that was resident until the first answer, bytes. */
  readonly residentBytes: number;
  readonly damagedRecords: number;
  /** Whole lines of the last segments that were in no damaged record and are gone. */
  readonly linesLost: number;
}

export interface FirstAnswer {
  readonly ms: number;
  readonly residentBytes: number;
  readonly damagedRecords: number;
}

/** Starts a server on the folder, sends one batch, and kills it when that is answered. */
export async function firstAnswer(data: string): Promise<FirstAnswer> {
  const startedMs = performance.now();
  const server = await startServer(FLAGS, { data });
  try {
    for (;;) {
      const answer = await exchange(server.port, post(metric("after_restart")));
      if (answer.status === 200) break;
      if (performance.now() - startedMs > ANSWER_MS_MAX)
        throw new Error(`no batch is taken: ${answer.status}`);
      await pause(5);
    }
    const ms = performance.now() - startedMs;
    const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
    const residentBytes = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
    const { damaged_records: damagedRecords } = (await readStats(server.port)).log;
    return { ms, residentBytes, damagedRecords };
  } finally {
    await server.kill();
  }
}

/** A start on the log as a run that ended so leaves it; the log is as before afterwards. */
export async function restart(log: MadeLog, end: End): Promise<Restart> {
  endRun(log, end);
  dropCaches(log);
  const { ms, residentBytes, damagedRecords } = await firstAnswer(log.data);
  const lines = countLastLines(log) + damagedRecords * SMALL_COMMIT_LINES;
  relayLast(log);
  return {
    firstAnswerMs: ms,
    residentBytes,
    damagedRecords,
    linesLost: LANES * log.lastLines - lines,
  };
}

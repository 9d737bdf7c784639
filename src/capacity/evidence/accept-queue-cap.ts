// How long the target's accept queue may grow. The tables of /proc do not tell, `ss -ltn` does (the column Send-Q of a
// listener), so it is run, once a level. In another network namespace than ours it is run there, where that is permitted.

import { execFile } from "node:child_process";
import type { OsFiles } from "../../base/os-files.ts";
import { parseNumber } from "../../base/proc-texts.ts";
import { orNull } from "./known.ts";

export interface AcceptQueueCap {
  readonly cap: number | null;
  readonly somaxconn: number | null;
}

const TIMEOUT_MS = 2_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
const SOMAXCONN = "/proc/sys/net/core/somaxconn";

/** `enterPid`: a process in whose network namespace to look; null for our own. */
export async function readAcceptQueueCap(
  files: OsFiles,
  port: number,
  enterPid: number | null,
): Promise<AcceptQueueCap> {
  if (enterPid === null) {
    const text = await output("ss", ["-ltnH"]);
    return { cap: parseCap(text, port), somaxconn: orNull(parseNumber(files.readText(SOMAXCONN, 64))) };
  }
  // /proc/sys/net shows the namespace of whoever reads it.
  const enter = ["-t", String(enterPid), "-n"];
  const [sockets, somaxconn] = await Promise.all([
    output("nsenter", [...enter, "ss", "-ltnH"]),
    output("nsenter", [...enter, "cat", SOMAXCONN]),
  ]);
  return { cap: parseCap(sockets, port), somaxconn: orNull(parseNumber(somaxconn)) };
}

/** `LISTEN 0 128 0.0.0.0:2024 0.0.0.0:*`: the smallest where several listen on the port. */
export function parseCap(text: string | null, port: number): number | null {
  const caps: number[] = [];
  for (const row of (text ?? "").split("\n")) {
    const [state, , cap, local] = row.trim().split(/\s+/);
    if (state === "LISTEN" && local?.endsWith(`:${port}`)) caps.push(Number(cap));
  }
  return caps.length === 0 ? null : Math.min(...caps);
}

function output(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    try {
      const options = { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX, encoding: "utf8" as const };
      execFile(program, args, options, (error, stdout) => resolve(error === null ? stdout : null));
    } catch {
      resolve(null); // no process can be started
    }
  });
}

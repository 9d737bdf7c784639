// How quickly a log goes through the stream: a server starts with replication on a log that is there already, against a bare loop
// that publishes the same blocks, made before, with the same client, one at a time as the server does.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { withFolder } from "../folder.ts";
import { spawnPinned, stopChild } from "../pinned.ts";
import { formatRate, print } from "../print.ts";
import { findRuntime } from "../programs.ts";
import { median } from "../result.ts";
import { type Bed, replicating, startServer, untilStats } from "./bed.ts";
import { fillLog } from "./fill-log.ts";

export interface StreamRound {
  readonly linesPerSecond: number;
  readonly bareLinesPerSecond: number;
}

export interface StreamComparison {
  readonly lines: number;
  readonly rounds: readonly StreamRound[];
  readonly linesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly messageBytesPerLine: number;
  readonly bytesPerLine: number;
  /** Median of the rounds' own ratios. */
  readonly ofBareLoop: number;
}

export async function compareStream(bed: Bed, lines: number, rounds: number): Promise<StreamComparison> {
  return withFolder(async (_folder, serverFolder) => {
    const measured: StreamRound[] = [];
    let bytesPerLine = 0;
    let messageBytesPerLine = 0;
    for (let round = 0; round < rounds; round++) {
      const data = join(serverFolder, `data-${round}`);
      mkdirSync(join(data, "lane-0"), { recursive: true, mode: 0o700 });
      fillLog(join(data, "lane-0"), lines);
      // Its recovery, and what that writes, shall not be measured.
      await stopChild((await startServer(bed, data, [])).child);
      execFileSync("sync");
      const stream = `through-${bed.runtime}-${round}`;
      const bareLinesPerSecond = await bareLoop(bed, data, `${stream}-bare`, lines);
      const server = await startServer(bed, data, replicating(bed, stream));
      try {
        const first = await untilStats(
          server,
          "the first blocks are in",
          (stats) => stats.replication!.blocks > 8,
        );
        const from = performance.now();
        const last = await untilStats(
          server,
          "all of it is in",
          (stats) => stats.replication!.lines >= lines,
        );
        const seconds = (performance.now() - from) / 1000;
        const linesPerSecond = (last.replication!.lines - first.replication!.lines) / seconds;
        bytesPerLine = last.replication!.bytes / last.replication!.lines;
        messageBytesPerLine = last.replication!.message_bytes / last.replication!.lines;
        measured.push({ linesPerSecond, bareLinesPerSecond });
        print(
          `  stream ${bed.runtime}  ${formatRate(linesPerSecond)} lines/s, bare loop ${formatRate(bareLinesPerSecond)} lines/s`,
        );
      } finally {
        await stopChild(server.child);
      }
    }
    const linesPerSecond = median(measured.map((round) => round.linesPerSecond))!;
    return {
      lines,
      rounds: measured,
      linesPerSecond,
      bytesPerSecond: linesPerSecond * bytesPerLine,
      bytesPerLine,
      messageBytesPerLine,
      ofBareLoop: median(measured.map((round) => round.linesPerSecond / round.bareLinesPerSecond))!,
    };
  });
}

/** A process of its own on the server's core, as the follower's thread is. */
async function bareLoop(bed: Bed, data: string, stream: string, lines: number): Promise<number> {
  const script = join(bed.projectFolder, "bench/replica/bare-loop.ts");
  const runtime = findRuntime(bed.runtime, bed.projectFolder)!;
  const words = [bed.cluster.url, stream, join(data, "lane-0"), String(lines)];
  const child = spawnPinned("server", [runtime, script, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  const rate = Number(text.trim());
  if (!(rate > 0)) throw new Error(`cannot read what the bare loop said: ${text}`);
  return rate;
}

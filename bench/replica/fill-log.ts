// Writes a lane of `lines` lines as a server leaves it after a crash: segments without indexes, which its start reads and seals.
import { closeSync, openSync, writeSync } from "node:fs";
import { segmentPath } from "../../src/log/segment-name.ts";
import { makeBatches } from "../workload.ts";

const SEGMENT_LINES = 500_000;
const BATCH = 1_000;

export function fillLog(lane: string, lines: number): void {
  const batches = makeBatches(100, BATCH, Date.now()).map((batch) =>
    batch
      .map(
        ({ name, host, value, timestamp }) =>
          `{"ts":${timestamp},"name":"${name}","value":${value},"type":"gauge","tags":{"host":"${host}"},"client":"bench"}\n`,
      )
      .join(""),
  );
  let fd = -1;
  for (let line = 0; line < lines; line += BATCH) {
    if (line % SEGMENT_LINES === 0) {
      if (fd >= 0) closeSync(fd);
      fd = openSync(segmentPath(lane, line), "wx", 0o600);
    }
    writeSync(fd, batches[(line / BATCH) % batches.length]!);
  }
  closeSync(fd);
}

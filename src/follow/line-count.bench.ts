// What following a block costs before anything is done with it: counting its lines, and reading it from a file that is in the
// page cache. One thread; prints nanoseconds a line and megabytes a second.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realFiles } from "../log/files.ts";
import { segmentPath } from "../log/segment-name.ts";
import { LaneReader } from "./lane-reader.ts";
import { countLines } from "./line-count.ts";

const LINES = 5_000;
const BLOCK_BYTES = 512 * 1024;

export function run(small: boolean): void {
  const bytes = Buffer.from(Array.from({ length: LINES }, (_, line) => lineOf(line)).join(""));
  const passes = small ? 1 : 400;
  for (const round of small ? [1] : [1, 2, 3]) {
    report(
      round,
      "count",
      spent(passes, () => countLines(bytes, bytes.length, LINES).lines),
      passes,
      bytes,
    );
    report(
      round,
      "a loop over the bytes",
      spent(passes, () => loopLines(bytes)),
      passes,
      bytes,
    );
    readLane(round, bytes, small ? 2 : 100);
  }
}

function lineOf(line: number): string {
  return `{"ts":${1763890000000 + line},"name":"cpu_usage_${line % 50}","value":${line / 7},"type":"gauge","tags":{"host":"web${line % 100}"},"client":"web"}\n`;
}

function loopLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) lines++;
  return lines;
}

function readLane(round: number, bytes: Buffer, copies: number): void {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
  writeFileSync(segmentPath(directory, 0), Buffer.concat(Array.from({ length: copies }, () => bytes)));
  const reader = new LaneReader(realFiles, directory, BLOCK_BYTES);
  const ms = spent(1, () => {
    let lines = 0;
    for (let block = reader.read(LINES * copies); block !== null; block = reader.read(LINES * copies))
      lines += block.end - block.first;
    return lines;
  });
  reader.close();
  report(round, "read a lane", ms, copies, bytes);
  rmSync(directory, { recursive: true });
}

/** CPU time, so that neighbours on the machine cost nothing. */
function spent(passes: number, pass: () => number): number {
  const { user, system } = process.cpuUsage();
  for (let at = 0; at < passes; at++) pass();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / 1000;
}

function report(round: number, what: string, ms: number, passes: number, bytes: Buffer): void {
  const line = (ms * 1e6) / (passes * LINES);
  process.stdout.write(
    `round ${round}  ${what.padEnd(22)} ${line.toFixed(1)} ns a line  ${((bytes.length * passes) / ms / 1e3).toFixed(0)} MB/s\n`,
  );
}

if (import.meta.main) run(false);

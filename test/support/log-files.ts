// Reads a data folder's log back as any other program would: plain files of JSON lines, with nothing of the server's.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface LogLine {
  lane: number;
  /** Path of its segment. */
  file: string;
  text: string;
}

export interface StoredMetric {
  ts: number;
  name: string;
  value: number;
  type: string;
  tags: Record<string, string>;
  client: string;
}

/** Paths of all segments, by lane and age. */
export function segmentFiles(data: string): { lane: number; file: string }[] {
  return readdirSync(data)
    .filter((name) => /^lane-\d+$/.test(name))
    .sort()
    .flatMap((name) =>
      readdirSync(join(data, name))
        .filter((file) => /^[0-9a-f]{16}\.jsonl$/.test(file))
        .sort()
        .map((file) => ({ lane: Number(name.slice("lane-".length)), file: join(data, name, file) })),
    );
}

/** Every line of every lane, in order. Throws where a file does not end with a whole line. */
export function* logLines(data: string): Generator<LogLine> {
  for (const { lane, file } of segmentFiles(data)) {
    const text = readFileSync(file, "utf8");
    if (text !== "" && !text.endsWith("\n")) throw new Error(`${file} ends in the middle of a line`);
    for (const line of text.split("\n").slice(0, -1)) yield { lane, file, text: line };
  }
}

/** Every metric of every lane, in order. Throws where a line is not JSON. */
export function storedMetrics(data: string): StoredMetric[] {
  return [...logLines(data)].map((line) => JSON.parse(line.text));
}

/** Those of that name. */
export function storedAs(data: string, name: string): StoredMetric[] {
  return storedMetrics(data).filter((metric) => metric.name === name);
}

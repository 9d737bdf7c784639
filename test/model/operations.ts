// What one simulated run does: the settings of its lane and a list of operations, made from a seed alone, so that a run
// that fails can be had again, and again with some of its operations left out.

import { ACK_ACCEPTED, ACK_SYNCED, ACK_WRITTEN } from "../../src/log/files.ts";
import { oneOf, type Random, randomFrom, wholeBetween } from "../crash/random.ts";

export type Operation =
  | { kind: "append"; lines: number; lineBytes: number; level: number }
  | { kind: "pass"; ms: number }
  | { kind: "rotate if old" }
  | { kind: "retain"; ageMs: number; bytes: number }
  | { kind: "write back" }
  /** The next so many writes to segments end so. */
  | { kind: "writes fail"; count: number; bytes: number; code: "ENOSPC" | "EDQUOT" | "EIO" }
  | { kind: "writes are short"; count: number; bytes: number }
  | { kind: "syncs fail"; count: number; code: "EIO" | "ENOSPC" }
  | { kind: "index writes fail"; count: number }
  | { kind: "creating fails"; count: number }
  | { kind: "syncs are slow"; count: number; ms: number }
  | { kind: "writes are slow"; count: number; ms: number }
  | { kind: "close" }
  /** Not here, but so many steps further on, wherever that is. */
  | { kind: "crash"; power: boolean; steps: number };

export interface Plan {
  readonly seed: number;
  readonly bufferBytes: number;
  readonly segmentBytesMax: number;
  readonly segmentAgeMsMax: number;
  readonly directBytesMin: number;
  readonly writesEach: boolean;
  /** The share of steps at which a copy of the file system is crashed and recovered, beside the run. */
  readonly crashShare: number;
  readonly operations: readonly Operation[];
}

export function planRun(seed: number): Plan {
  const random = randomFrom(seed);
  const bufferBytes = oneOf(random, [2048, 4096, 16_384]);
  const length = wholeBetween(random, 8, 50);
  const faulty = random() < 0.6;
  return {
    seed,
    bufferBytes,
    segmentBytesMax: oneOf(random, [1500, 6000, 30_000]),
    segmentAgeMsMax: oneOf(random, [200, 3_600_000]),
    directBytesMin: bufferBytes > 8192 && random() < 0.6 ? 4096 : Number.POSITIVE_INFINITY,
    writesEach: random() < 0.1,
    crashShare: oneOf(random, [0.02, 0.05, 0.1]),
    operations: Array.from({ length }, () => chooseOperation(random, bufferBytes, faulty)),
  };
}

/** How often each comes, of those that a healthy disk has and of those that it has not. */
function chooseOperation(random: Random, bufferBytes: number, faulty: boolean): Operation {
  const at = random() * (faulty ? 100 : 76);
  if (at < 38) return chooseAppend(random, bufferBytes);
  if (at < 58) return { kind: "pass", ms: random() < 0.7 ? random() * 2 : random() * 250 };
  if (at < 60) return { kind: "rotate if old" };
  if (at < 62)
    return { kind: "retain", ageMs: oneOf(random, [0, 50]), bytes: oneOf(random, [0, 1000, 5000]) };
  if (at < 66) return { kind: "write back" };
  if (at < 68) return { kind: "syncs are slow", count: wholeBetween(random, 1, 3), ms: random() * 300 };
  if (at < 70) return { kind: "writes are slow", count: wholeBetween(random, 1, 3), ms: random() * 300 };
  if (at < 73) return { kind: "crash", power: random() < 0.5, steps: wholeBetween(random, 0, 30) };
  if (at < 74) return { kind: "close" };
  if (at < 76) return { kind: "pass", ms: wholeBetween(random, 100, 400) };
  const count = wholeBetween(random, 1, 3);
  const bytes = random() < 0.3 ? 0 : wholeBetween(random, 1, 3000);
  if (at < 83) return { kind: "writes fail", count, bytes, code: oneOf(random, ["ENOSPC", "EDQUOT", "EIO"]) };
  if (at < 88) return { kind: "writes are short", count, bytes: Math.max(1, bytes) };
  if (at < 93) return { kind: "syncs fail", count, code: oneOf(random, ["EIO", "ENOSPC"]) };
  if (at < 96) return { kind: "index writes fail", count };
  if (at < 98) return { kind: "creating fails", count };
  return { kind: "crash", power: true, steps: wholeBetween(random, 0, 10) };
}

function chooseAppend(random: Random, bufferBytes: number): Operation {
  const lines = random() < 0.5 ? 1 : wholeBetween(random, 2, 8);
  const most = Math.floor(bufferBytes / lines / 2);
  const lineBytes = random() < 0.6 ? 60 : wholeBetween(random, 60, Math.max(61, most));
  return { kind: "append", lines, lineBytes, level: oneOf(random, [ACK_ACCEPTED, ACK_WRITTEN, ACK_SYNCED]) };
}

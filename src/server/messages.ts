// What the main thread and an ingest thread say to each other. Everything else they share is counters and the limiter,
// in shared memory.

import type { ServeConfig } from "../config.ts";

/** Given to an ingest thread when it starts. */
export interface IngestSettings {
  thread: number;
  threads: number;
  config: ServeConfig;
  /** The port to listen on; 0 for the first thread where the operator asked for the kernel's choice. */
  port: number;
  laneDirectory: string;
  /** Of the whole server. */
  connectionsMax: number;
  connectionSlots: SharedArrayBuffer;
  telemetry: SharedArrayBuffer;
  limiter: SharedArrayBuffer;
  /** Of the client hash: one for the process, so that all threads find the same entry. */
  hashSeedLow: number;
  hashSeedHigh: number;
  startedAtMs: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export type FromIngest =
  | { kind: "listening"; port: number }
  | { kind: "drained" }
  | { kind: "cannot-start"; message: string }
  | { kind: "log"; level: LogLevel; text: string; fields: Record<string, unknown> };

export type ToIngest = { kind: "drain" };

// What the main thread and an ingest thread say to each other. Everything else they share is counters and the limiter,
// in shared memory.

import type { ServeConfig } from "../config.ts";
import type { TlsIdentity } from "../net/transport.ts";

/** Given to an ingest thread when it starts. */
export interface IngestSettings {
  thread: number;
  threads: number;
  /** Its tokens, and what goes with TLS, change with a reload; nothing else does. */
  config: ServeConfig;
  /** Null where no TLS is spoken. */
  tls: TlsIdentity | null;
  /** The port to listen on; 0 for the kernel's choice; null for a thread that asks, and is told when the first one has it. */
  port: number | null;
  laneDirectory: string;
  /** Of the whole server. */
  dataFolder: string;
  /** How far each lane is, and how far it has been replicated; null where the log is not replicated. */
  positions: SharedArrayBuffer | null;
  /** What the replicating thread tells of itself; null where there is none. */
  replicaFigures: SharedArrayBuffer | null;
  /** What the forwarding thread tells of itself; null where there is none. */
  forwardFigures: SharedArrayBuffer | null;
  /** Where the lane's open files are kept track of (open-files.layout.ts); null where the runtime closes them. */
  openFiles: SharedArrayBuffer | null;
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

/** Given to the thread that replicates. */
export interface ReplicaSettings {
  config: ServeConfig;
  dataFolder: string;
  positions: SharedArrayBuffer;
  /** Lanes that no ingest thread writes to, and the number behind the last line of each. */
  orphans: readonly { lane: number; end: number }[];
  /** Where it tells of itself. */
  telemetry: SharedArrayBuffer;
}

/** Given to the thread that forwards. */
export interface ForwardThreadSettings {
  config: ServeConfig;
  dataFolder: string;
  /** Where it tells of itself. */
  figures: SharedArrayBuffer;
}

export type FromFollower =
  | { kind: "closed" }
  | { kind: "log"; level: LogLevel; text: string; fields: Record<string, unknown> };

export type LogLevel = "debug" | "info" | "warn" | "error";

export type FromIngest =
  | { kind: "awaits-port" }
  | { kind: "listening"; port: number }
  | { kind: "drained" }
  | { kind: "reloaded" }
  | { kind: "cannot-start"; message: string }
  | { kind: "log"; level: LogLevel; text: string; fields: Record<string, unknown> };

export type ToIngest =
  | { kind: "listen"; port: number }
  | { kind: "drain" }
  | { kind: "reload"; config: ServeConfig; tls: TlsIdentity | null };

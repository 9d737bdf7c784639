// What all parts of a running drain share: who it is, how it reaches the stream, where it stores, and whom it tells.

import type { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { LogFiles } from "../../log/files.ts";
import type { LaneEvent } from "../../log/lane-options.ts";
import type { DeadLetterFolder } from "./dead-letters.ts";
import type { DrainBucket } from "./drain-bucket.ts";
import type { DrainFigures } from "./drain-figures.ts";

export type DrainLog = (
  level: "debug" | "info" | "warn" | "error",
  text: string,
  fields: Record<string, unknown>,
) => void;

/** What the operator has set of the store. */
export interface StoreSettings {
  segmentBytesMax: number;
  segmentAgeMsMax: number;
  /** 0 keeps everything; as for the bytes of the whole folder. */
  retentionAgeMs: number;
  retentionBytes: number;
}

export interface DrainContext {
  /** This drain's name in the records: the store's, for good. */
  id: string;
  /** Absolute. */
  dataFolder: string;
  stream: string;
  files: LogFiles;
  settings: StoreSettings;
  connection: NatsConnection;
  manager: Awaited<ReturnType<typeof jetstreamManager>>;
  bucket: DrainBucket;
  deadLetters: DeadLetterFolder;
  figures: DrainFigures;
  log: DrainLog;
  onLaneEvent(partition: number, event: LaneEvent): void;
}

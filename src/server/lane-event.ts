// A lane's event as a line of the server's log: how bad it is, and in words what follows from it.

import { REFUSALS } from "../errors.ts";
import type { LaneEvent } from "../log/lane-options.ts";
import type { LogLevel } from "./messages.ts";

export interface EventText {
  level: LogLevel;
  text: string;
  fields: Record<string, unknown>;
}

export function describeLaneEvent(event: LaneEvent): EventText {
  switch (event.kind) {
    case "sealed":
      return {
        level: "debug",
        text: "segment sealed",
        fields: { path: event.path, bytes: event.bytes, lines: event.lines },
      };
    case "sync_failed":
      return {
        level: "error",
        text: "cannot sync a segment; it is closed as it is and what waited for it is refused; check the disk",
        fields: { path: event.path, bytes_unsynced: event.bytesUnsynced, error: event.error.message },
      };
    case "write_failed":
      return { level: "error", text: "cannot write to the log", fields: { error: event.error.message } };
    case "outage":
      return {
        level: "error",
        text: "batches are refused with 503 until the disk takes them again",
        fields: { reason: REFUSALS[event.refusal]!.reason, error: event.error.message },
      };
    case "outage_over":
      return {
        level: "info",
        text: "the disk takes batches again",
        fields: { reason: REFUSALS[event.refusal]!.reason, ms: Math.round(event.ms) },
      };
    case "quarantined":
      return {
        level: "warn",
        text: "bytes that are no whole lines were cut off and put aside",
        fields: { path: event.path, bytes: event.bytes },
      };
    case "index_rebuilt":
      return {
        level: "warn",
        text: event.isMissing
          ? "a segment had no index; its lines were read one by one and it was made anew"
          : "a segment's index was damaged; its lines were read one by one and it was made anew",
        fields: { path: event.path },
      };
    case "damaged": {
      const { segment, offset, bytes, records, lines, path } = event;
      return {
        level: "error",
        text:
          path === ""
            ? "a segment is shorter than its index says; what it lacks is lost; check the disk"
            : "damage in a segment was put aside, and what is good around it kept; check the disk",
        fields: { path: segment, offset, bytes, records, lines, ...(path === "" ? {} : { kept_in: path }) },
      };
    }
  }
}

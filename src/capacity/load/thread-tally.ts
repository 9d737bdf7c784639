// A thread's tally as it goes to the main thread: plain numbers and arrays, histograms as the arrays they live in.

import { ERROR_CLASSES, type GeneratorThread } from "./load-result.ts";
import type { Silence } from "./stalls.ts";
import type { Tally } from "./tally.ts";
import type { SlotTally } from "./timeline.ts";

export interface ThreadTally {
  readonly latency: Float64Array;
  readonly latencyUncorrected: Float64Array;
  readonly latencyRefused: Float64Array;
  readonly connect: Float64Array;
  readonly sendLag: Float64Array;
  readonly succeeded: number;
  /** In the order of ERROR_CLASSES. */
  readonly errors: readonly number[];
  readonly statuses: readonly (readonly [status: number, count: number])[];
  /** Until the end of sending. */
  readonly seconds: number;
  readonly planned: number;
  readonly waitedForConnection: number;
  readonly opened: number;
  readonly connectsFailed: number;
  readonly clientsAnswered: number;
  readonly openMax: number;
  readonly inFlightMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly slots: readonly SlotTally[];
  readonly silences: readonly Silence[];
  readonly health: GeneratorThread;
  /** From the common start to when the thread began. */
  readonly startLagMs: number;
}

export function packTally(
  tally: Tally,
  planned: number,
  seconds: number,
  health: GeneratorThread,
): ThreadTally {
  const statuses: [number, number][] = [];
  tally.statuses.forEach((count, status) => {
    if (count > 0) statuses.push([status, count]);
  });
  return {
    latency: tally.latency.words,
    latencyUncorrected: tally.latencyUncorrected.words,
    latencyRefused: tally.latencyRefused.words,
    connect: tally.connect.words,
    sendLag: tally.sendLag.words,
    succeeded: tally.succeeded,
    errors: ERROR_CLASSES.map((_, index) => tally.errors[index]!),
    statuses,
    seconds,
    planned,
    waitedForConnection: tally.waitedForConnection,
    opened: tally.opened,
    connectsFailed: tally.connectsFailed,
    clientsAnswered: tally.clientsAnswered,
    openMax: tally.openMax,
    inFlightMs: tally.inFlightMs,
    bytesSent: tally.bytesSent,
    bytesReceived: tally.bytesReceived,
    slots: tally.slots,
    silences: tally.silences,
    health,
    startLagMs: tally.startLagMs,
  };
}

// All threads' tallies as one result. Pure: histograms and counts add, so the result is that of one thread which did it all.

import { Histogram } from "../../base/histogram.ts";
import { correctForOmission } from "./correct-for-omission.ts";
import type { LoadPlan } from "./load-plan.ts";
import { ERROR_CLASSES, type ErrorClass, type LoadResult } from "./load-result.ts";
import { findStalls } from "./stalls.ts";
import type { ThreadTally } from "./thread-tally.ts";
import { mergeTimeline } from "./timeline.ts";
import { voidReason } from "./void-rules.ts";

export function mergeTallies(
  plan: LoadPlan,
  startedAtMs: number,
  tallies: readonly ThreadTally[],
): LoadResult {
  const sum = (figure: (tally: ThreadTally) => number): number =>
    tallies.reduce((total, tally) => total + figure(tally), 0);
  const merged = (words: (tally: ThreadTally) => Float64Array): Histogram => {
    const histogram = Histogram.fine();
    for (const tally of tallies) histogram.merge(new Histogram(words(tally)));
    return histogram;
  };
  const seconds = Math.max(...tallies.map((tally) => tally.seconds));
  const succeeded = sum((tally) => tally.succeeded);
  const errors = sumErrors(tallies);
  const requests = succeeded + Object.values(errors).reduce((total, count) => total + count, 0);
  const latencyUncorrected = merged((tally) => tally.latencyUncorrected);
  const isPlanned = plan.arrivals.kind === "open" || plan.arrivals.paceMs > 0;
  const result: LoadResult = {
    plan,
    startedAtMs,
    seconds,
    requests,
    succeeded,
    errors,
    statuses: sumStatuses(tallies),
    rate: seconds > 0 ? succeeded / seconds : 0,
    planned: isPlanned ? sum((tally) => tally.planned) : requests,
    latency: isPlanned ? merged((tally) => tally.latency) : correctForOmission(latencyUncorrected),
    latencyUncorrected,
    latencyRefused: merged((tally) => tally.latencyRefused),
    connect: merged((tally) => tally.connect),
    sendLag: merged((tally) => tally.sendLag),
    waitedForConnection: sum((tally) => tally.waitedForConnection),
    connections: {
      opened: sum((tally) => tally.opened),
      failed: sum((tally) => tally.connectsFailed),
      clientsAnswered: sum((tally) => tally.clientsAnswered),
      openMax: sum((tally) => tally.openMax),
    },
    inFlightMean: seconds > 0 ? sum((tally) => tally.inFlightMs) / (seconds * 1000) : 0,
    bytesSent: sum((tally) => tally.bytesSent),
    bytesReceived: sum((tally) => tally.bytesReceived),
    timeline: mergeTimeline(tallies.map((tally) => tally.slots)),
    stalls: findStalls(tallies.map((tally) => tally.silences)),
    generator: tallies.map((tally) => tally.health),
    agents: null,
    void: null,
  };
  return { ...result, void: voidReason(result) };
}

function sumErrors(tallies: readonly ThreadTally[]): Record<ErrorClass, number> {
  const errors = {} as Record<ErrorClass, number>;
  ERROR_CLASSES.forEach((name, index) => {
    errors[name] = tallies.reduce((total, tally) => total + tally.errors[index]!, 0);
  });
  return errors;
}

function sumStatuses(tallies: readonly ThreadTally[]): Record<string, number> {
  const statuses: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [status, count] of tally.statuses) statuses[status] = (statuses[status] ?? 0) + count;
  }
  return statuses;
}

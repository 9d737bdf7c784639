// A result for people: what was sent and what came of it, both kinds of latency side by side, and what the generator says of
// itself. Pure: from the result to lines of at most 80 characters.

import type { Histogram } from "../../base/histogram.ts";
import {
  bytesText,
  coarseShareText,
  countText,
  msUnitText,
  rateUnitText,
  shareText,
} from "../report/figures.ts";
import type { LoadPlan } from "./load-plan.ts";
import { ERROR_CLASSES, type ErrorClass, type LoadResult, type LoadSlot, SLOT_MS } from "./load-result.ts";

const MEANING_OF_ERROR: Readonly<Record<ErrorClass, string>> = {
  refused: "nothing listens there",
  connect_timeout: "no connection before the timeout",
  reset: "the connection ended before the answer",
  timeout: "no answer before the timeout or the end",
  no_port: "the generator had no client port left",
  no_descriptor: "the generator had no file descriptor left",
  rate_limited: "answered 429",
  unavailable: "answered 503",
  status_4xx: "answered another 4xx",
  status_5xx: "answered another 5xx",
  protocol: "the answer was not HTTP/1",
  other: "another error of the system",
};

const ROWS: readonly (readonly [label: string, read: (histogram: Histogram) => number])[] = [
  ["mean", (histogram) => histogram.mean()],
  ["50 %", (histogram) => histogram.percentile(0.5)],
  ["90 %", (histogram) => histogram.percentile(0.9)],
  ["99 %", (histogram) => histogram.percentile(0.99)],
  ["99.9 %", (histogram) => histogram.percentile(0.999)],
  ["99.99 %", (histogram) => histogram.percentile(0.9999)],
  ["max", (histogram) => histogram.max()],
];

const LABEL_LENGTH = 11;
const COLUMN_LENGTH = 16;
const STALLS_SHOWN = 3;

export function describePlan(plan: LoadPlan): string {
  const { arrivals, stop, clients, threads, keepAlive, pipeline } = plan;
  const parts = [`${countText(clients)} clients`];
  if (threads > 1) parts.push(`${threads} threads`);
  if (arrivals.kind === "open") {
    const { ratePerSecond, rateEndPerSecond } = arrivals;
    const isRamp = ratePerSecond !== rateEndPerSecond;
    parts.unshift(
      isRamp
        ? `${rateUnitText(ratePerSecond)} to ${rateUnitText(rateEndPerSecond)}`
        : rateUnitText(ratePerSecond),
    );
  } else
    parts.push(
      arrivals.paceMs > 0 ? `one request every ${arrivals.paceMs} ms each` : "as fast as they are answered",
    );
  parts.push(stop.kind === "seconds" ? `${stop.seconds} s` : `${countText(stop.requests)} requests each`);
  if (pipeline > 1) parts.push(`${pipeline} at a time on a connection`);
  if (!keepAlive) parts.push("a connection for each");
  return `${plan.method} ${plan.url}: ${parts.join(", ")}`;
}

/** The one line of a run's progress. */
export function describeSlot(slot: LoadSlot): string {
  const aSecond = 1000 / SLOT_MS;
  const failed = slot.failed === 0 ? "" : `, ${countText(slot.failed * aSecond)} failed/s`;
  const latency =
    slot.latencyMsMean === null
      ? ""
      : `, mean ${msUnitText(slot.latencyMsMean)}, max ${msUnitText(slot.latencyMsMax)}`;
  return `${((slot.atMs + SLOT_MS) / 1000).toFixed(1)} s: ${rateUnitText(slot.succeeded * aSecond)}${failed}${latency}`;
}

export function describeResult(result: LoadResult): string {
  const lines = [
    line("rate", `${rateUnitText(result.rate)} over ${result.seconds.toFixed(2)} s`),
    line(
      "success",
      `${shareText(successOf(result))} of ${countText(result.requests)} requests${unsentText(result)}`,
    ),
    ...errorLines(result),
    "",
    ...latencyLines(result),
    ...refusedLines(result),
    "",
    ...ownLines(result),
    ...agentLines(result),
  ];
  if (result.void !== null) lines.push("", ...wrapped(`VOID: ${result.void}.`));
  return `${lines.join("\n")}\n`;
}

/** Why a run of which nothing succeeded failed, in one line. */
export function describeFailure(result: LoadResult): string {
  const worst = ERROR_CLASSES.toSorted((a, b) => result.errors[b] - result.errors[a])[0]!;
  if (result.requests === 0 && result.void !== null) return `nothing was counted: ${result.void}`;
  if (result.requests === 0) return "nothing was sent before the run ended; try a longer --duration";
  return `no request succeeded: ${countText(result.errors[worst])} of ${countText(result.requests)} failed as ${worst} (${MEANING_OF_ERROR[worst]}); check --url ${result.plan.url}`;
}

function successOf({ succeeded, requests }: LoadResult): number | null {
  return requests === 0 ? null : succeeded / requests;
}

function unsentText({ planned, requests }: LoadResult): string {
  return planned > requests ? ` (${countText(planned)} were planned)` : "";
}

function errorLines({ errors }: LoadResult): string[] {
  const found = ERROR_CLASSES.filter((name) => errors[name] > 0);
  return found.map((name, index) =>
    line(
      index === 0 ? "errors" : "",
      `${name.padEnd(16)}${countText(errors[name]).padStart(11)}  ${MEANING_OF_ERROR[name]}`,
    ),
  );
}

function latencyLines(result: LoadResult): string[] {
  const { latency, latencyUncorrected, stalls } = result;
  if (latency.count() === 0) return [line("latency", "unknown: nothing was answered in time")];
  const lines = [
    line("latency", `${"corrected".padStart(COLUMN_LENGTH)}${"uncorrected".padStart(COLUMN_LENGTH)}`),
  ];
  for (const [label, read] of ROWS) {
    const cells = [latency, latencyUncorrected].map((histogram) =>
      msUnitText(read(histogram) / 1e6).padStart(COLUMN_LENGTH),
    );
    lines.push(line(`  ${label}`, cells.join("")));
  }
  lines.push(...wrapped(correctionText(result.plan)));
  const longest = stalls.toSorted((a, b) => b.lastedMs - a.lastedMs).slice(0, STALLS_SHOWN);
  if (longest.length > 0) {
    const times = longest.map(
      ({ atMs, lastedMs }) => `${msUnitText(lastedMs)} at ${(atMs / 1000).toFixed(2)} s`,
    );
    lines.push(line("silences", `${countText(stalls.length)}; longest ${times.join(", ")}`));
  }
  return lines;
}

function refusedLines({ latencyRefused }: LoadResult): string[] {
  if (latencyRefused.count() === 0) return [];
  const [half, most, all] = [0.5, 0.99, 1].map((part) =>
    msUnitText((part === 1 ? latencyRefused.max() : latencyRefused.percentile(part)) / 1e6),
  );
  return [line("refused", `50 % within ${half}, 99 % within ${most}, all within ${all}`)];
}

function correctionText({ arrivals }: LoadPlan): string {
  if (arrivals.kind === "open" || arrivals.paceMs > 0)
    return "Corrected counts from when the request was due, uncorrected from when it was sent: a stall holds sends back, and only the first shows it.";
  return "Uncorrected is as measured; corrected fills in the requests that a slow answer kept its client from sending.";
}

function ownLines(result: LoadResult): string[] {
  const { connections, connect, sendLag, generator } = result;
  const busy = generator.map(({ cpuRatio, spinRatio }) =>
    cpuRatio === null ? null : Math.max(0, cpuRatio - spinRatio),
  );
  const busiest = busy.includes(null) ? null : Math.max(...(busy as number[]));
  const lines = [
    line(
      "connections",
      `${countText(connections.opened)} opened, ${countText(connections.failed)} failed, ${countText(connections.openMax)} at once${connectText(connect)}`,
    ),
    line("in flight", `${result.inFlightMean.toFixed(2)} requests on average`),
    line("bytes", `${bytesText(result.bytesSent)} sent, ${bytesText(result.bytesReceived)} received`),
  ];
  if (generator.length > 0) {
    const asleepMs = Math.max(...generator.map(({ loopLagMsMax }) => loopLagMsMax));
    lines.push(
      line("generator", `${coarseShareText(busiest)} of a core busy, at most ${msUnitText(asleepMs)} asleep`),
    );
  }
  if (sendLag.count() > 0) {
    lines.push(
      line(
        "",
        `sent 99 % within ${msUnitText(sendLag.percentile(0.99) / 1e6)} of their time, all within ${msUnitText(sendLag.max() / 1e6)}`,
      ),
    );
  }
  return lines;
}

/** Who made the load, where it was made on several machines. */
function agentLines({ agents }: LoadResult): string[] {
  if (agents === null) return [];
  const { startsApartMs, clockErrorMs, parts } = agents;
  const apart =
    startsApartMs === null
      ? ""
      : `; starts ${msUnitText(startsApartMs)} apart, give or take ${msUnitText(clockErrorMs)}`;
  const lines = [line("agents", `${countText(parts.length)}${apart}`)];
  for (const { name, host, clients, requests, succeeded, void: reason } of parts) {
    const figures =
      requests === null
        ? "nothing handed in"
        : `${countText(succeeded!)} of ${countText(requests)} requests succeeded`;
    lines.push(
      line(
        `  ${name}`,
        `on ${host}: ${countText(clients)} clients, ${figures}${reason === null ? "" : ", VOID"}`,
      ),
    );
  }
  return lines;
}

function connectText(connect: Histogram): string {
  return connect.count() === 0 ? "" : `; 99 % within ${msUnitText(connect.percentile(0.99) / 1e6)}`;
}

function line(label: string, text: string): string {
  return `${label.padEnd(LABEL_LENGTH)} ${text}`.trimEnd();
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > 80) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

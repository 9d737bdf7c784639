// A result as JSON for scripts: what `load --json` prints, and the start of each level in report.json. Pure.

import type { Histogram } from "../../base/histogram.ts";
import type { LatencyJson, LoadJson } from "../report/report-json.ts";
import { checkLittle } from "../search/little.ts";
import { ERROR_CLASSES, type ErrorClass, type LoadResult } from "./load-result.ts";

export function toLoadJson(result: LoadResult): LoadJson {
  const { connections, generator } = result;
  return {
    rate: figure(result.rate)!,
    requests: result.requests,
    success: result.requests === 0 ? 0 : figure(result.succeeded / result.requests)!,
    errors: occurred(result.errors),
    statuses: result.statuses,
    seconds: figure(result.seconds)!,
    planned: result.planned,
    latency_ms: latencyJson(result.latency),
    latency_uncorrected_ms: latencyJson(result.latencyUncorrected),
    latency_refused_ms: latencyJson(result.latencyRefused),
    connect_ms: latencyJson(result.connect),
    send_lag_ms: latencyJson(result.sendLag),
    connections: {
      opened: connections.opened,
      failed: connections.failed,
      clients_answered: connections.clientsAnswered,
      open_max: connections.openMax,
    },
    bytes_sent: result.bytesSent,
    bytes_received: result.bytesReceived,
    little: littleJson(result),
    stalls: result.stalls.map(({ atMs, lastedMs }) => ({
      at_ms: figure(atMs)!,
      lasted_ms: figure(lastedMs)!,
    })),
    generator: {
      threads: generator.length,
      busy_ratio: highest(
        generator.map(({ cpuRatio, spinRatio }) =>
          cpuRatio === null ? null : Math.max(0, cpuRatio - spinRatio),
        ),
      ),
      wait_ratio: highest(generator.map(({ waitRatio }) => waitRatio)),
      loop_lag_ms_max: figure(Math.max(0, ...generator.map(({ loopLagMsMax }) => loopLagMsMax)))!,
    },
    ...agentsJson(result),
    void: result.void,
  };
}

function agentsJson({ agents }: LoadResult): Pick<LoadJson, "agents"> {
  if (agents === null) return {};
  const { startsApartMs, clockErrorMs, parts } = agents;
  return {
    agents: {
      starts_apart_ms: startsApartMs === null ? null : figure(startsApartMs),
      clock_error_ms: figure(clockErrorMs)!,
      parts: parts.map((part) => ({ ...part })),
    },
  };
}

/** From nanoseconds. */
export function latencyJson(histogram: Histogram): LatencyJson {
  const ms = (nanoseconds: number): number | null => figure(nanoseconds / 1e6);
  return {
    mean: ms(histogram.mean()),
    p50: ms(histogram.percentile(0.5)),
    p90: ms(histogram.percentile(0.9)),
    p99: ms(histogram.percentile(0.99)),
    p999: ms(histogram.percentile(0.999)),
    p9999: ms(histogram.percentile(0.9999)),
    max: ms(histogram.max()),
  };
}

function littleJson(result: LoadResult): LoadJson["little"] {
  const { measured, expected, agrees } = checkLittle(result);
  return { measured: figure(measured) ?? 0, expected: expected === null ? null : figure(expected), agrees };
}

function occurred(errors: LoadResult["errors"]): Partial<Record<ErrorClass, number>> {
  return Object.fromEntries(
    ERROR_CLASSES.filter((name) => errors[name] > 0).map((name) => [name, errors[name]]),
  );
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : figure(Math.max(...known));
}

/** Six digits are more than any of these is exact to. */
function figure(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

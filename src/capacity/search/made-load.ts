// For tests: results and levels with known figures, as if the generator had measured them.

import { Histogram } from "../../base/histogram.ts";
import type { Level } from "../level.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import { newLoadPlan } from "../load/load-plan-defaults.ts";
import { ERROR_CLASSES, type ErrorClass, type LoadResult } from "../load/load-result.ts";

export interface MadeLoad {
  readonly succeeded: number;
  readonly errors?: Partial<Record<ErrorClass, number>>;
  readonly seconds?: number;
  /** Of all that succeeded; the slowest `slowShare` of them take `slowMs`. */
  readonly latencyMs?: number;
  readonly slowMs?: number;
  readonly slowShare?: number;
  readonly planned?: number;
  readonly inFlightMean?: number;
  readonly void?: string | null;
  readonly plan?: Partial<LoadPlan>;
}

export function madeLoad(figures: MadeLoad): LoadResult {
  const { succeeded, seconds = 1, latencyMs = 1, slowMs = latencyMs, slowShare = 0 } = figures;
  const errors = { ...Object.fromEntries(ERROR_CLASSES.map((name) => [name, 0])), ...figures.errors };
  const requests = succeeded + Object.values(errors).reduce((sum, count) => sum + count, 0);
  const latency = Histogram.fine();
  for (let index = 0; index < succeeded; index++)
    latency.record((index < succeeded * (1 - slowShare) ? latencyMs : slowMs) * 1e6);
  return {
    plan: newLoadPlan({ clients: 1, stop: { kind: "seconds", seconds: 1 }, ...figures.plan }),
    startedAtMs: 0,
    seconds,
    requests,
    succeeded,
    errors: errors as Record<ErrorClass, number>,
    statuses: {},
    rate: succeeded / seconds,
    planned: figures.planned ?? requests,
    latency,
    latencyUncorrected: latency,
    latencyRefused: Histogram.fine(),
    connect: Histogram.fine(),
    sendLag: Histogram.fine(),
    waitedForConnection: 0,
    connections: { opened: 1, failed: 0, clientsAnswered: 1, openMax: 1 },
    inFlightMean: figures.inFlightMean ?? 0,
    bytesSent: 0,
    bytesReceived: 0,
    timeline: [],
    stalls: [],
    generator: [],
    agents: null,
    void: figures.void ?? null,
  };
}

export function madeLevel(
  figures: Pick<Level, "kind" | "clients"> & {
    met: boolean;
    rate?: number;
    paceMs?: number;
    part?: Level["part"];
  },
  load: MadeLoad,
): Level {
  const paceMs = figures.kind === "paced" ? (figures.paceMs ?? 100) : null;
  const { kind, clients, met, rate = null, part = "ladder" } = figures;
  return {
    id: `${kind}-${rate ?? clients}`,
    kind,
    part,
    clients,
    paceMs,
    plannedRate: rate ?? (paceMs === null ? null : (clients * 1000) / paceMs),
    load: madeLoad(load),
    samples: [],
    objective: { met, misses: met ? [] : ["as the test says"] },
  };
}

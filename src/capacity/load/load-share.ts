// A part of a plan, as numbers of generator threads. A plan is cut by thread and nowhere else: thread 3 of 8 sends the
// requests 3, 11, 19, … of one schedule through the clients 3, 11, 19, …, draws its bodies from a seed of its own, and
// does so whichever process it is in. So parts add up exactly, and a plan on two machines is the plan on one. Pure.

import type { LoadPlan } from "./load-plan.ts";
import { openSchedule, pacedSchedule } from "./schedule.ts";

export interface LoadShare {
  /** Rising; empty for no part at all. */
  readonly threads: readonly number[];
  /** Of the whole plan. */
  readonly threadsOfAll: number;
}

/** What a share is of its plan, for a person. */
export interface OfferedLoad {
  readonly clients: number;
  /** Requests; null where nothing is planned (clients that send as soon as they are answered, for a time). */
  readonly planned: number | null;
}

export function wholeShare(plan: LoadPlan): LoadShare {
  const [share] = splitPlan(plan, 1);
  return share!;
}

/**
 * The plan's shares for so many generators of `plan.threads` threads each: every n-th thread is one's, so that they differ
 * by one at most. A thread has at least one client: with fewer clients than threads there are fewer threads.
 */
export function splitPlan(plan: LoadPlan, generators: number): LoadShare[] {
  const threadsOfAll = Math.min(plan.clients, plan.threads * generators);
  return Array.from({ length: generators }, (_, generator) => {
    const count = Math.max(0, Math.ceil((threadsOfAll - generator) / generators));
    return {
      threads: Array.from({ length: count }, (_, turn) => generator + turn * generators),
      threadsOfAll,
    };
  });
}

/** What the share is asked to do if the plan runs to its end. */
export function offeredLoad(plan: LoadPlan, { threads, threadsOfAll }: LoadShare): OfferedLoad {
  const each = threads.map((thread) => offeredByThread(plan, thread, threadsOfAll));
  const planned = each.map((offered) => offered.planned);
  return {
    clients: each.reduce((sum, offered) => sum + offered.clients, 0),
    planned: planned.includes(null) ? null : planned.reduce<number>((sum, count) => sum + count!, 0),
  };
}

function offeredByThread(plan: LoadPlan, thread: number, threads: number): OfferedLoad {
  const { arrivals, stop } = plan;
  const clients = Math.ceil((plan.clients - thread) / threads);
  if (arrivals.kind === "open") {
    const seconds = stop.kind === "seconds" ? stop.seconds : stop.secondsMax;
    const { ratePerSecond, rateEndPerSecond } = arrivals;
    return {
      clients,
      planned: openSchedule(ratePerSecond, rateEndPerSecond, seconds, thread, threads).count,
    };
  }
  if (stop.kind === "requests-each") return { clients, planned: clients * stop.requests };
  if (arrivals.paceMs === 0) return { clients, planned: null };
  const schedule = pacedSchedule(arrivals.paceMs, plan.clients, thread, threads, Number.POSITIVE_INFINITY);
  return { clients, planned: schedule.countBefore(stop.seconds * 1000) };
}

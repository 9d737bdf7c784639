// All agents' shares as one result: tallies add as those of threads do, whichever machine they come from, so the result is
// that of one generator which did it all. What an agent cannot answer for voids its share, and with it the run: the figures
// of the others are still there, and the reason says what is missing. Pure.

import type { LoadPlan } from "../load/load-plan.ts";
import type { AgentPart, LoadResult } from "../load/load-result.ts";
import { SLOT_MS } from "../load/load-result.ts";
import { type LoadShare, offeredLoad, wholeShare } from "../load/load-share.ts";
import { mergeTallies } from "../load/merge-tallies.ts";
import { Tally } from "../load/tally.ts";
import { packTally, type ThreadTally } from "../load/thread-tally.ts";

export interface ShareOutcome {
  readonly name: string;
  readonly host: string;
  readonly share: LoadShare;
  /** Null where none came. */
  readonly tallies: readonly ThreadTally[] | null;
  /** Why not: a clause whose subject is the agent. */
  readonly fault: string | null;
  /** How well its clock is known, milliseconds. */
  readonly clockErrorMs: number;
}

/** Those whose share is empty are no part of it. `fault`: why nobody could be asked. */
export function mergeShares(
  plan: LoadPlan,
  startedAtMs: number,
  outcomes: readonly ShareOutcome[],
  fault: string | null = null,
): LoadResult {
  const parts = outcomes.map((outcome) => toPart(plan, startedAtMs, outcome));
  const tallies = outcomes.flatMap((outcome) => outcome.tallies ?? []);
  const merged = mergeTallies(plan, startedAtMs, tallies.length > 0 ? tallies : [emptyTally(plan)]);
  const lost = outcomes.filter((outcome) => outcome.tallies === null);
  const planned = lost.map(({ share }) => offeredLoad(plan, share).planned ?? 0);
  const reasons = parts.flatMap((part) => (part.void === null ? [] : [voidText(plan, part)]));
  if (fault !== null) reasons.push(fault);
  return {
    ...merged,
    planned: merged.planned + planned.reduce((sum, count) => sum + count, 0),
    generator: tallies.map((tally) => tally.health),
    agents: {
      startsApartMs: startsApart(tallies),
      clockErrorMs: Math.max(0, ...outcomes.map(({ clockErrorMs }) => clockErrorMs)),
      parts,
    },
    void: reasons.length > 0 ? reasons.join("; ") : null,
  };
}

function toPart(plan: LoadPlan, startedAtMs: number, outcome: ShareOutcome): AgentPart {
  const { name, host, share, tallies } = outcome;
  const own = tallies === null ? null : mergeTallies(plan, startedAtMs, tallies);
  return {
    name,
    host,
    threads: share.threads.length,
    ...offeredLoad(plan, share),
    requests: own?.requests ?? null,
    succeeded: own?.succeeded ?? null,
    void: outcome.fault ?? own?.void ?? lateStart(tallies ?? []),
  };
}

/** Past a slot of the time line what the agents did at one moment stands at two. */
function lateStart(tallies: readonly ThreadTally[]): string | null {
  const lagMs = Math.max(0, ...tallies.map(({ startLagMs }) => startLagMs));
  return lagMs > SLOT_MS ? `it began ${Math.round(lagMs)} ms after the others` : null;
}

function voidText(
  plan: LoadPlan,
  { name, host, clients, planned, requests, void: reason }: AgentPart,
): string {
  const all = offeredLoad(plan, wholeShare(plan)).planned;
  const share = `${clients} of ${plan.clients} clients${planned === null ? "" : `, ${planned} of ${all} planned requests`}`;
  return requests === null
    ? `agent ${name} on ${host}: ${reason}; its share is missing from all figures (${share})`
    : `agent ${name} on ${host}: ${reason}; its share is void, and in the figures all the same (${share})`;
}

/** Between the first thread's start and the last one's, on all machines; null of fewer than two. */
function startsApart(tallies: readonly ThreadTally[]): number | null {
  if (tallies.length < 2) return null;
  const lags = tallies.map(({ startLagMs }) => startLagMs);
  return Math.max(...lags) - Math.min(...lags);
}

function emptyTally({ arrivals }: LoadPlan): ThreadTally {
  const isPlanned = arrivals.kind === "open" || arrivals.paceMs > 0;
  const health = { cpuRatio: null, spinRatio: 0, waitRatio: null, loopLagMsMax: 0 };
  return packTally(new Tally(isPlanned), 0, 0, health);
}

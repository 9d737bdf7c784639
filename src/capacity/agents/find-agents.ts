// Finds the agents that are there: asks all again and again until as many as are wanted have answered and no further one
// does. The wait is bounded, and who waits in vain is told whom it found. On the coordinator's main thread.

import { setTimeout as pause } from "node:timers/promises";
import { TidemarkError } from "../../errors.ts";
import { AGENTS_GATHER_MS } from "../../limits.ts";
import type { AgentFacts } from "./agent-link.ts";

export interface FoundAgent extends AgentFacts {
  /** Another coordinator's name, "" where it is free. */
  readonly worksFor: string;
}

/** Those that answered so far, by id, and what one of them said that cannot be understood. */
export interface AgentRoll {
  readonly agents: Map<string, FoundAgent>;
  fault: string | null;
}

export interface WantedAgents {
  readonly agentsMin: number;
  readonly waitMsMax: number;
  /** The NATS, for texts. */
  readonly where: string;
}

const ASK_MS = AGENTS_GATHER_MS / 3;

/** The free ones, at least `least`. Throws TidemarkError with exit code 2: whom it found instead. */
export async function findAgents(
  roll: AgentRoll,
  ask: () => void,
  wanted: WantedAgents,
): Promise<FoundAgent[]> {
  const { agentsMin: least, waitMsMax, where } = wanted;
  const startedMs = performance.now();
  let [grownMs, size] = [startedMs, 0];
  for (;;) {
    ask();
    await pause(ASK_MS);
    if (roll.fault !== null)
      throw new TidemarkError(`cannot use the agents at ${where} because ${roll.fault}`, 2);
    const nowMs = performance.now();
    if (roll.agents.size > size) [grownMs, size] = [nowMs, roll.agents.size];
    const free = [...roll.agents.values()].filter(({ worksFor }) => worksFor === "");
    const isGathered = nowMs - grownMs >= AGENTS_GATHER_MS;
    if (isGathered && free.length >= least) return free;
    // Who is missing is not on its way, but at work.
    const isTaken = isGathered && size > free.length && size >= least;
    if (isTaken || nowMs - startedMs >= waitMsMax) throw notEnough([...roll.agents.values()], wanted);
  }
}

export function notEnough(
  found: readonly FoundAgent[],
  { agentsMin: least, waitMsMax, where }: WantedAgents,
): TidemarkError {
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const busy = sorted.filter(({ worksFor }) => worksFor !== "");
  const busyText = busy.map(({ name, worksFor }) => `${name} works for ${worksFor}`).join(", ");
  const freeText = sorted
    .filter(({ worksFor }) => worksFor === "")
    .map(({ name }) => `${name} is free`)
    .join(", ");
  const seen = [freeText, busyText].filter((text) => text !== "").join(", ");
  const advice =
    busy.length > 0
      ? "wait for the other run to end, or start more agents"
      : "start tidemark agent on each machine that is to send, with the same --nats";
  return new TidemarkError(
    `cannot send from ${least} ${least === 1 ? "agent" : "agents"} (--agents-min) because ${seen === "" ? `none answered at ${where} within ${waitMsMax / 1000} s` : seen}; ${advice}`,
    2,
  );
}

// Puts the suspects in order, and tells causes from symptoms: a full accept queue behind a server without descriptors is
// no second cause. A symptom of something confirmed is possible at best and says whose it is. Pure; a total order, the
// same for the same suspects.

import { SUSPECT_IDS, type Suspect, type SuspectId, type Verdict } from "./suspect.ts";

const VERDICTS: readonly Verdict[] = ["confirmed", "possible", "unknown", "ruled-out"];

/** What a symptom keeps of its weight. */
const SYMPTOM_WEIGHT = 0.5;

/** Confirmed, the first makes the others look guilty, by the way in the words. */
const EXPLAINS: readonly (readonly [cause: SuspectId, symptoms: readonly SuspectId[], how: string])[] = [
  [
    "client-ports",
    ["generator", "listen-queue", "pool", "target-stall"],
    "without a client port no connection is made, however the server does",
  ],
  [
    "descriptors",
    ["listen-queue", "pool", "one-thread", "all-cores", "target-stall", "memory"],
    "a server at its limit accepts no more, so that queues fill, some clients are never served, and refusing costs CPU",
  ],
  [
    "disk-full",
    ["log-write", "slow-sync", "memory", "one-thread", "all-cores", "cpu-quota", "target-stall", "pool"],
    "what cannot be stored is refused, and refusing at full speed fills queues and costs CPU",
  ],
  [
    "rate-limit",
    ["one-thread", "all-cores", "cpu-quota", "target-stall", "pool"],
    "answers of 429 come at full speed and cost CPU",
  ],
  [
    "pool",
    ["listen-queue", "one-thread", "all-cores", "target-stall"],
    "workers that are held accept nothing, so that the queue behind them fills, while the clients that hold them are served as fast as they ask",
  ],
  [
    "slow-sync",
    ["log-write", "memory", "target-stall", "collection", "pool"],
    "what waits for a sync fills queues and memory, and answers come in bursts",
  ],
  [
    "log-write",
    ["memory", "target-stall", "collection", "pool"],
    "what waits for a write fills queues and memory, and answers come in bursts",
  ],
  [
    "memory",
    ["one-thread", "all-cores", "cpu-quota", "log-write", "target-stall", "pool"],
    "refusing at full speed costs CPU, and a machine that swaps waits for its disk",
  ],
  [
    "listen-queue",
    ["target-stall", "pool", "one-thread", "all-cores"],
    "clients whose handshake is dropped come back after a second, and the others have the server to themselves meanwhile",
  ],
  [
    "cpu-quota",
    ["one-thread", "all-cores", "target-stall", "collection", "pool"],
    "a server from which the CPU is taken waits for it, and is silent while it does",
  ],
  [
    "target-stall",
    ["pool", "collection", "one-thread", "all-cores"],
    "a server that stands still serves nobody, and clients without a pace fill its processor in between",
  ],
];

/** What a void level still shows: the client's own side. */
const OF_CLIENT: readonly SuspectId[] = ["generator", "client-ports", "network"];

/** `isVoid`: the level's figures are the generator's. */
export function rank(suspects: readonly Suspect[], isVoid: boolean): Suspect[] {
  const heard = isVoid ? suspects.map(doubt) : suspects;
  return demoteSymptoms(heard).sort(compare);
}

/** A generator at its limit shows neither what limits the server nor what does not. */
function doubt(suspect: Suspect): Suspect {
  if (OF_CLIENT.includes(suspect.id)) return suspect;
  const why = "The level's figures are the generator's own, so that they say little of the server.";
  const against = [...suspect.against, why];
  if (suspect.verdict === "confirmed")
    return { ...suspect, verdict: "possible", weight: suspect.weight * SYMPTOM_WEIGHT, against };
  if (suspect.verdict === "ruled-out") return { ...suspect, verdict: "unknown", weight: 0, against };
  return suspect;
}

function demoteSymptoms(suspects: readonly Suspect[]): Suspect[] {
  let current = [...suspects];
  for (const [cause, symptoms, how] of EXPLAINS) {
    const found = current.find(({ id }) => id === cause);
    if (found?.verdict !== "confirmed") continue;
    current = current.map((suspect) => {
      const isNamed = suspect.verdict === "confirmed" || suspect.verdict === "possible";
      if (!symptoms.includes(suspect.id) || !isNamed) return suspect;
      return {
        ...suspect,
        verdict: "possible",
        weight: suspect.weight * SYMPTOM_WEIGHT,
        against: [...suspect.against, `It follows from the confirmed suspect "${found.title}": ${how}.`],
      };
    });
  }
  return current;
}

function compare(a: Suspect, b: Suspect): number {
  return (
    VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) ||
    b.weight - a.weight ||
    SUSPECT_IDS.indexOf(a.id) - SUSPECT_IDS.indexOf(b.id)
  );
}

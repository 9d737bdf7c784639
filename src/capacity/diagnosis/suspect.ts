// What the diagnosis says: a list of suspects in order, the most likely first, each with its figures for and against.

export const SUSPECT_IDS = [
  "descriptors",
  "listen-queue",
  "one-thread",
  "all-cores",
  "cpu-quota",
  "pool",
  "log-write",
  "slow-sync",
  "disk-full",
  "memory",
  "collection",
  "rate-limit",
  "network",
  "generator",
  "client-ports",
  "target-stall",
] as const;

export type SuspectId = (typeof SUSPECT_IDS)[number];

/**
 * confirmed: the figures name it, and nothing that was seen speaks against it.
 * possible: something speaks for it, not enough.
 * ruled-out: what would have to be seen was looked for and is not there.
 * unknown: the source that would tell is missing here; never the same as ruled out.
 */
export type Verdict = "confirmed" | "possible" | "ruled-out" | "unknown";

export interface Gain {
  /** Factor on the sustainable rate that the fix should bring (1.8: 80 % more); null where it cannot be said. */
  readonly predicted: number | null;
  /** What --verify or a sweep measured; null where it did not. */
  readonly measured: number | null;
}

export interface Suspect {
  readonly id: SuspectId;
  /** "file descriptors", "the listen queue": for a heading. */
  readonly title: string;
  readonly verdict: Verdict;
  /** 0 to 1, for the order within a verdict. */
  readonly weight: number;
  /** Sentences with their figures. */
  readonly for: readonly string[];
  readonly against: readonly string[];
  /** The command that checks it by hand, and how to read it. */
  readonly check: string;
  /** What to change, named. */
  readonly fix: string;
  /** How the fix is tried on a server of ours: flags to add to `serve`, or why it cannot be. */
  readonly remedy: Remedy;
  readonly gain: Gain;
}

export type Remedy =
  /** Flags that go after the server's own ones. */
  | { readonly kind: "flags"; readonly flags: readonly string[] }
  /** Descriptors that its process may open. */
  | { readonly kind: "descriptors"; readonly count: number }
  | { readonly kind: "none"; readonly why: string };

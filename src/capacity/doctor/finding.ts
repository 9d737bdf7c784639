// What a check of the doctor's comes to: what was found, what that means for capacity, and the commands that mend it.
//
// Checks are pure functions from what the machine says (machine.ts) and what was measured to findings. They never throw:
// what cannot be read is a finding of its own, "unknown" with the reason, and bounds nothing.

/** "bad": it will not work, or not for the clients that were asked for. "warn": it works, and limits early or costs. */
export type Verdict = "ok" | "warn" | "bad" | "unknown";

/** The kinds of figures that bound a server, each compared only with its own kind. */
export type BoundKind =
  /** Connections open at once, from everywhere. */
  | "connections"
  /** Connections open at once from one client machine to one address. */
  | "connections-from-one-host"
  /** Connects that arrive before a thread accepts the first of them. */
  | "connects-at-once"
  /** New connections a second, where none is kept alive. */
  | "connects-per-second"
  /** Syncs a second of one lane: each answers all that waits for it. */
  | "syncs-per-second"
  /** Metrics a second that the disk can be written. */
  | "metrics-per-second";

export interface Bound {
  readonly kind: BoundKind;
  readonly amount: number;
}

export interface Remedy {
  readonly when: "now" | "for good" | "as a service" | "in a container";
  /** One line for a shell, as it is. */
  readonly command: string;
}

export interface Mend {
  readonly linux: readonly Remedy[];
  readonly macos: readonly Remedy[];
}

export interface Finding {
  readonly id: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** For capacity; where it is unknown, why. */
  readonly means: string;
  /** Null where nothing has to be mended, or no command does. */
  readonly mend: Mend | null;
  readonly bounds: readonly Bound[];
  /** What was read, for programs: snake_case, the unit last. What is not known, or has no limit, is no finite number. */
  readonly figures: Figures;
}

export type Figures = Readonly<Record<string, number | string | null>>;

/** Top of the ladder that `tidemark capacity` climbs: without --clients, less than this is worth a warning. */
export const CLIENTS_LADDER_MAX = 10_000;

/** What the operator wants to hold: --clients, or null. */
export interface Wish {
  readonly clients: number | null;
}

export function clientsWanted(wish: Wish): number {
  return wish.clients ?? CLIENTS_LADDER_MAX;
}

/** Verdict on a number of connections: short of what was asked for is bad, short of the ladder is a warning. */
export function judgeConnections(connections: number, wish: Wish): Verdict {
  if (connections < 1) return "bad";
  if (connections >= clientsWanted(wish)) return "ok";
  return wish.clients === null ? "warn" : "bad";
}

/** What was found where nothing could be read. */
export const NOT_KNOWN = "not known";

/** A finding that nothing has to be done about unless it says otherwise. */
export function finding(
  id: string,
  verdict: Verdict,
  found: string,
  means: string,
  more: Partial<Pick<Finding, "mend" | "bounds" | "figures">> = {},
): Finding {
  return { id, verdict, found, means, mend: null, bounds: [], figures: {}, ...more };
}

export function unknown(id: string, why: string): Finding {
  return finding(id, "unknown", NOT_KNOWN, why);
}

/** The next power of two. */
export function roomFor(amount: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, amount)));
}

/** How Linux is made to keep settings over a restart: "name=value" each. */
export function keepSettings(settings: readonly string[]): string {
  const text = settings.length === 1 ? `echo ${settings[0]}` : `printf '${settings.join("\\n")}\\n'`;
  return `${text} | sudo tee -a /etc/sysctl.d/60-tidemark.conf`;
}

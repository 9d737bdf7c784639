// One planted limit: how it is planted, and what an honest analyser may say of it.
//
// A plant changes one thing and nothing else: the server, its load and the machine are otherwise good enough that this
// one thing is what stops the rate. Each has a proof (plants.test.ts) that it really bites, made without the analyser,
// so that a wrong verdict is the analyser's fault and not the bed's.

import type { SuspectId } from "../../src/capacity/diagnosis/suspect.ts";

export interface Plant {
  /** "descriptors-own": the suspect first, then what kind of target. */
  readonly id: string;
  /** What is planted, for a table. */
  readonly title: string;
  /** Why this is the limit here, for a person who doubts the row. */
  readonly why: string;
  /** Right as the first suspect. */
  readonly first: readonly SuspectId[];
  /** True as well, so right when confirmed further down; what is in neither list and confirmed is confidently wrong. */
  readonly alsoTrue: readonly SuspectId[];
  /** The analyser may decline to name anything: nothing is planted that its evidence must show. */
  readonly mayDecline?: boolean;
  /** Its figures are the generator's: the run must be void and exit 2. */
  readonly isVoid?: boolean;
  /** Why it cannot be planted here, or null. */
  missing(): string | null;
  start(): Promise<Planted>;
}

export interface Planted {
  /** Null where the analyser is to start a server of its own, with `serveFlags`. */
  readonly url: string | null;
  readonly port: number;
  readonly pid: number | null;
  /** For `capacity`, beside --target, --pid, --out and --json. */
  readonly capacityFlags: readonly string[];
  readonly serveFlags: readonly string[];
  /** Words before the analyser's own command (nsenter, taskset): it must see what the server sees. */
  readonly wrapper: readonly string[];
  stop(): Promise<void>;
}

/** For plants that show by failures or by waits of a second: the machine's own hiccups are no reason to look closer. */
export const PATIENT = ["--objective", "success>=99%,p99<=500ms"];

/** Fills in what most plants have in common: a target of this machine, reached as it is. */
export function planted(
  target: { readonly port: number; readonly pid: number; readonly path?: string },
  stop: () => Promise<unknown>,
  more: Partial<Planted> = {},
): Planted {
  return {
    url: `http://127.0.0.1:${target.port}${target.path ?? "/metrics"}`,
    port: target.port,
    pid: target.pid,
    capacityFlags: [],
    serveFlags: [],
    wrapper: [],
    ...more,
    stop: async () => {
      await stop();
    },
  };
}

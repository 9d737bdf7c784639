// What limits first: of all findings' bounds the smallest of each kind, and whether --clients fits. Pure.

import type { Bound, BoundKind, Finding, Wish } from "./finding.ts";
import { formatAbout, formatCount } from "./quantity.ts";

export interface FirstLimit {
  readonly kind: BoundKind;
  readonly amount: number;
  /** The finding that sets it. */
  readonly by: string;
}

/** In the order that they are shown. */
export const BOUND_NAMES: Readonly<Record<BoundKind, string>> = {
  connections: "open connections",
  "connections-from-one-host": "open connections from this machine",
  "connects-at-once": "connects at once, a thread",
  "connects-per-second": "new connections a second",
  "syncs-per-second": "synced commits a second, a thread",
  "metrics-per-second": "metrics written a second",
};
const KINDS = Object.keys(BOUND_NAMES) as BoundKind[];
/** Measured, not counted: shown to two digits. */
const ESTIMATED: readonly BoundKind[] = ["connects-per-second", "syncs-per-second", "metrics-per-second"];

/** The smallest bound of each kind; a kind that nothing bounds, or nothing is known of, is left out. */
export function firstLimits(findings: readonly Finding[]): FirstLimit[] {
  const limits: FirstLimit[] = [];
  for (const kind of KINDS) {
    let first: FirstLimit | null = null;
    for (const finding of findings) {
      for (const bound of finding.bounds.filter((one: Bound) => one.kind === kind)) {
        if (Number.isFinite(bound.amount) && (first === null || bound.amount < first.amount))
          first = { kind, amount: bound.amount, by: finding.id };
      }
    }
    if (first !== null) limits.push(first);
  }
  return limits;
}

/** Whether the clients fit in what is known; null where nothing was asked, or the connections' bound is not known. */
export function clientsFit(limits: readonly FirstLimit[], wish: Wish): boolean | null {
  const connections = limits.find((limit) => limit.kind === "connections");
  return wish.clients === null || connections === undefined ? null : connections.amount >= wish.clients;
}

/** The last line says this. */
export function describeFirst(limits: readonly FirstLimit[], wish: Wish): string {
  const open = limits.find((limit) => limit.kind === "connections");
  const rate = limits.find((limit) => limit.kind === "connects-per-second");
  const parts: string[] = [];
  parts.push(
    open === undefined
      ? "connections: not known"
      : `${open.by} (${formatCount(open.amount)} open connections)`,
  );
  if (rate !== undefined)
    parts.push(`without keep-alive ${rate.by} (${formatAmount(rate)} new ones a second)`);
  const line = parts.join("; ");
  if (wish.clients === null || open === undefined) return line;
  const here = limits.find((limit) => limit.kind === "connections-from-one-host");
  const asked = `${formatCount(wish.clients)} clients ${open.amount >= wish.clients ? "fit" : "do not fit"}`;
  return here !== undefined && here.amount < wish.clients && open.amount >= wish.clients
    ? `${line}; ${asked}, but not all from this machine (${here.by}: ${formatCount(here.amount)})`
    : `${line}; ${asked}`;
}

export function formatAmount(limit: FirstLimit): string {
  return ESTIMATED.includes(limit.kind) ? formatAbout(limit.amount) : formatCount(limit.amount);
}

// Holds the server's reading of a stream against a proxy's: where do both begin each request, and is every request that
// the proxy forwards one request to the server? Pure.
//
//   same            request by request the same, to the end or to a refusal of both
//   stricter        the server refused, or had closed, where the proxy went on: fewer requests, never others
//   refused there   the server takes a request that the proxy refuses: it cannot come through that proxy
//   closed there    the server takes a request after the proxy has closed
//   waits there     the server takes a request that to the proxy is not whole
//   waits here      the proxy took a request that to the server is not whole
//   refused behind  the server takes a request from the client that it refuses in the proxy's words
//   differs         both take a request, and not the same one
// All but the first two need a reason (reasons.ts). What was forwarded has its own verdict: forwardingFault().

import { readOneRequest } from "./one-request.ts";
import type { Reading, TakenRequest } from "./own-reading.ts";
import type { ProxyReading } from "./proxy-reading.ts";
import type { Forwarded } from "./recording-backend.ts";

export const AGREEMENTS = ["same", "stricter"] as const;
export const DISAGREEMENTS = [
  "refused there",
  "closed there",
  "waits there",
  "waits here",
  "refused behind",
  "differs",
] as const;
export type Agreement = (typeof AGREEMENTS)[number];
export type Disagreement = (typeof DISAGREEMENTS)[number];

export interface Verdict {
  readonly kind: Agreement | Disagreement;
  /** Which request of the stream it is about, from 0. */
  readonly at: number;
  readonly ours: TakenRequest | null;
  /** What the proxy forwarded as that request, as the server reads it. */
  readonly theirs: TakenRequest | null;
  /** The proxy's own answer to it, or 0. */
  readonly status: number;
}

/** The status with which a proxy gives up waiting for the backend's answer. */
const GATEWAY_TIMEOUT = 504;

export function compare(own: Reading, proxy: ProxyReading): Verdict {
  const verdict = { ours: null, theirs: null, status: 0 };
  for (let at = 0; ; at++) {
    const ours = own.requests[at] ?? null;
    const answer = proxy.answers[at];
    if (ours === null) {
      const isFurther = answer !== undefined && answer.forwardedAs !== 0;
      if (!isFurther) return { ...verdict, kind: "same", at };
      const theirs = requestOf(proxy, answer.forwardedAs);
      if (own.standing === "waiting") return { ...verdict, kind: "waits here", at, theirs };
      return { ...verdict, kind: "stricter", at, theirs };
    }
    if (answer === undefined) {
      return { ...verdict, kind: proxy.standing === "waiting" ? "waits there" : "closed there", at, ours };
    }
    if (answer.forwardedAs === 0) {
      // A refusal ends nearly every stream; where it does not, what follows is compared like the rest.
      if (proxy.answers[at + 1] === undefined)
        return { ...verdict, kind: "refused there", at, ours, status: answer.status };
      continue;
    }
    const theirs = requestOf(proxy, answer.forwardedAs);
    if (theirs === null) return { ...verdict, kind: "refused behind", at, ours };
    if (!isSame(ours, theirs)) return { ...verdict, kind: "differs", at, ours, theirs };
  }
}

/** What is wrong with something that the proxy forwarded as one request, or "": the one way to smuggle through it. */
export function forwardingFault(proxy: ProxyReading): string {
  if (proxy.answers.some(({ status }) => status === GATEWAY_TIMEOUT))
    return "the server waits for more of what the proxy holds to be whole";
  for (const { number, bytes } of proxy.forwarded) {
    const read = readOneRequest(bytes);
    // One that was cut off half-way was not answered; one that is refused ends its connection.
    if (read.outcome === "waiting" && proxy.answers.some(({ forwardedAs }) => forwardedAs === number))
      return "answered, and yet not whole";
    if (read.outcome === "whole" && read.bytesLeft > 0)
      return `${read.bytesLeft} bytes are left after the first request`;
  }
  return "";
}

export function shown(forwarded: readonly Forwarded[]): string {
  return forwarded.map(({ bytes }) => JSON.stringify(bytes.toString("latin1"))).join(" | ");
}

function requestOf(proxy: ProxyReading, forwardedAs: number): TakenRequest | null {
  const forwarded = proxy.forwarded.find(({ number }) => number === forwardedAs);
  if (forwarded === undefined) return null;
  const read = readOneRequest(forwarded.bytes);
  return read.outcome === "whole" ? read.request : null;
}

function isSame(ours: TakenRequest, theirs: TakenRequest): boolean {
  return ours.method === theirs.method && ours.target === theirs.target && ours.body === theirs.body;
}

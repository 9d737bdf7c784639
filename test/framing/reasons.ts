// Why a disagreement with a proxy cannot smuggle: every class of them by name. One that no reason here explains fails the
// run. All of them are of requests that the server takes and the proxy refuses: such a request never comes through that
// proxy, in whole or in part, and the proxy's own words for what it does forward have their own check (forwardingFault).
// What remains to be said of each is why the server may take it from a client that speaks to it directly.

import type { TakenRequest } from "./own-reading.ts";
import type { ProxyName } from "./proxies.ts";
import type { Disagreement, Verdict } from "./verdict.ts";

export interface Reason {
  readonly name: string;
  readonly by: "nginx" | "haproxy";
  readonly kind: Disagreement;
  /** The proxy's own answers that this explains. */
  readonly statuses: readonly number[];
  readonly why: string;
  /** Whether the request is of this class; `stream` is all that was sent (latin1). */
  explains(request: TakenRequest, stream: string): boolean;
}

export const REASONS: readonly Reason[] = [
  {
    name: "a target that is no path and no URL",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "OPTIONS * and CONNECT host:port are forms of RFC 9112 3.2; where a target ends does not depend on its form",
    explains: ({ head }) => /^(\r\n)*[!-~]+ (\*|[^/ ]*:\d+) /.test(head),
  },
  {
    name: "a target that climbs above its root",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "the server takes no path apart: it is one of the few that it knows, byte by byte, or 404",
    explains: ({ target }) => /(\.|%2e){2}/i.test(target),
  },
  {
    name: "a method that is not of capital letters",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "any token is a method (RFC 9110 9.1); an unknown one is 501 here, after it was read by its framing",
    explains: ({ head }) => /^(\r\n)*[A-Z_-]*[^A-Z_ -]/.test(head),
  },
  {
    name: "TRACE or CONNECT",
    by: "nginx",
    kind: "refused there",
    statuses: [405],
    why: "the server refuses both with 405 too, after it has read the request by its framing like any other",
    explains: ({ method }) => method === "TRACE" || method === "CONNECT",
  },
  {
    name: "a tab beside a value",
    by: "nginx",
    kind: "refused there",
    statuses: [400, 501],
    why: "RFC 9112 5 lets spaces and tabs stand around any value, and what is between them is read strictly",
    explains: ({ head }) =>
      /\n(Content-Length|Transfer-Encoding|Host):([ \t]*\t|[^\r\n]*\t[ \t]*\r)/i.test(head),
  },
  {
    name: "a Host of odd dots",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "dots may stand anywhere in a registered name (RFC 3986 3.2.2), and nothing here is chosen by the Host",
    explains: ({ head }) => /\nHost:[ \t]*(\.|[^\r\n]*\.\.)/i.test(head),
  },
  {
    name: "a URL whose authority holds more than names and addresses do",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "RFC 3986 3.2.2 has sub-delims and escapes in a registered name, and nothing here is chosen by it",
    explains: ({ head }) => /^(\r\n)*[!-~]+ https?:\/\/[^/? ]*[^A-Za-z0-9.:[\]/? -]/i.test(head),
  },
  {
    name: "Expect twice",
    by: "nginx",
    kind: "refused there",
    statuses: [400],
    why: "a list may be parted into lines (RFC 9110 5.3), and the same expectation twice is the same expectation",
    explains: ({ head }) => (head.match(/\nExpect:/gi) ?? []).length > 1,
  },
  {
    name: "HTTP/1.0 without Host, forwarded as HTTP/1.1",
    by: "nginx",
    kind: "refused behind",
    statuses: [0],
    why: "HTTP/1.0 needs no Host and HTTP/1.1 does; what the proxy makes of it is refused and its connection closed",
    explains: ({ head }) => / HTTP\/1\.0\r\n/.test(head) && !/\nHost:/i.test(head),
  },
  {
    name: "a URL of another authority than Host",
    by: "haproxy",
    kind: "refused there",
    statuses: [400],
    why: "RFC 9112 3.2.2 has the Host ignored beside a URL, and nothing here is chosen by either",
    explains: ({ head }) => /^(\r\n)*[!-~]+ https?:\/\//i.test(head),
  },
  {
    name: "HTTP/1.0 with a body where none is usual",
    by: "haproxy",
    kind: "refused there",
    statuses: [413],
    why: "the server reads a body by its Content-Length whatever the method and version (RFC 9112 6)",
    explains: ({ head, method }) =>
      / HTTP\/1\.0\r\n/.test(head) && /\nContent-Length:/i.test(head) && method !== "POST",
  },
  {
    name: "the method PRI",
    by: "haproxy",
    kind: "refused there",
    statuses: [400],
    why: "it is the beginning of HTTP/2's preface only with its own target and version; as a method it is unknown: 501",
    explains: ({ head }) => /^(\r\n)*PRI /.test(head),
  },
  {
    name: "a framing field or a Host among the trailers",
    by: "haproxy",
    kind: "refused there",
    statuses: [400],
    why: "trailers are read past and ignored, whatever they are named: the body has ended by then (RFC 9110 6.5.1)",
    explains: ({ head }, stream) =>
      /\nTransfer-Encoding:/i.test(head) &&
      /\n0[^\r\n]*\r\n([^\r\n]+\r\n)*?(Transfer-Encoding|Content-Length|Host):/i.test(stream),
  },
];

/** The reason that explains a disagreement with that proxy, or null. */
export function reasonFor(proxy: ProxyName, verdict: Verdict, stream: string): Reason | null {
  const { kind, status, ours } = verdict;
  if (ours === null) return null;
  const found = REASONS.find(
    (reason) =>
      proxy.startsWith(reason.by) &&
      reason.kind === kind &&
      reason.statuses.includes(status) &&
      reason.explains(ours, stream),
  );
  return found ?? null;
}

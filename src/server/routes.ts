// HOT: Which of the few things a request asks for. Compared as bytes, longest-lived first: no strings are made.

import {
  METHOD_CONNECT,
  METHOD_GET,
  METHOD_HEAD,
  METHOD_OPTIONS,
  METHOD_OTHER,
  METHOD_POST,
  type RequestHead,
} from "../http/request-head.ts";

export const ROUTE_INGEST = 0;
export const ROUTE_PAGE = 1;
export const ROUTE_HEALTH = 2;
export const ROUTE_READY = 3;
export const ROUTE_METRICS = 4;
export const ROUTE_STATS = 5;
export const ROUTE_OPTIONS = 6;
// Refusals, as routes: they are answered when the request has been read to its end.
export const ROUTE_NOT_FOUND = 7;
export const ROUTE_METHOD = 8;
export const ROUTE_METHOD_UNKNOWN = 9;

const METRICS = Buffer.from("/metrics");
const PATHS: readonly { path: Buffer; route: number }[] = [
  { path: Buffer.from("/"), route: ROUTE_PAGE },
  { path: Buffer.from("/health"), route: ROUTE_HEALTH },
  { path: Buffer.from("/ready"), route: ROUTE_READY },
  { path: Buffer.from("/stats"), route: ROUTE_STATS },
];

export function routeOf(head: RequestHead, bytes: Uint8Array): number {
  const { method, targetStart, targetEnd } = head;
  if (isPath(METRICS, bytes, targetStart, targetEnd)) {
    if (method === METHOD_POST) return ROUTE_INGEST;
    return method === METHOD_GET || method === METHOD_HEAD ? ROUTE_METRICS : otherMethod(method);
  }
  if (head.isAsterisk) return ROUTE_OPTIONS;
  for (let i = 0; i < PATHS.length; i++) {
    const { path, route } = PATHS[i]!;
    if (!isPath(path, bytes, targetStart, targetEnd)) continue;
    return method === METHOD_GET || method === METHOD_HEAD ? route : otherMethod(method);
  }
  if (method === METHOD_OTHER) return ROUTE_METHOD_UNKNOWN;
  return method === METHOD_CONNECT ? ROUTE_METHOD : ROUTE_NOT_FOUND;
}

/** The Allow header for a path that exists. */
export function allowFor(head: RequestHead, bytes: Uint8Array): string {
  return isPath(METRICS, bytes, head.targetStart, head.targetEnd)
    ? "GET, HEAD, OPTIONS, POST"
    : "GET, HEAD, OPTIONS";
}

function otherMethod(method: number): number {
  if (method === METHOD_OPTIONS) return ROUTE_OPTIONS;
  return method === METHOD_OTHER ? ROUTE_METHOD_UNKNOWN : ROUTE_METHOD;
}

function isPath(path: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== path.length) return false;
  for (let i = path.length - 1; i >= 0; i--) if (bytes[start + i] !== path[i]) return false;
  return true;
}

// What the system's error codes and a target's statuses mean for a request that failed.

import type { ErrorClass } from "./load-result.ts";

const CLASS_OF_CODE: Readonly<Record<string, ErrorClass>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "connect_timeout",
  EHOSTUNREACH: "connect_timeout",
  ENETUNREACH: "connect_timeout",
  EHOSTDOWN: "connect_timeout",
  ENETDOWN: "connect_timeout",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  EADDRNOTAVAIL: "no_port",
  EADDRINUSE: "no_port",
  EMFILE: "no_descriptor",
  ENFILE: "no_descriptor",
};

export function classOfConnectError(code: string): ErrorClass {
  return CLASS_OF_CODE[code] ?? "other";
}

/** Null where the answer is a success: 1xx to 3xx. */
export function classOfStatus(status: number): ErrorClass | null {
  if (status < 400) return null;
  if (status === 429) return "rate_limited";
  if (status === 503) return "unavailable";
  if (status < 500) return "status_4xx";
  return status < 600 ? "status_5xx" : "other";
}

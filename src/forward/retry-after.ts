// The Retry-After of an answer (RFC 9110, 10.2.3): seconds, or a date. Pure.

import { FORWARD_RETRY_AFTER_MS_MAX } from "../limits.ts";

/** Milliseconds from now, at most FORWARD_RETRY_AFTER_MS_MAX; null where the field is missing or says nothing. */
export function retryAfterMs(field: string | undefined, nowMs: number): number | null {
  const text = field?.trim() ?? "";
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs;
  if (Number.isNaN(ms)) return null;
  return Math.min(Math.max(0, ms), FORWARD_RETRY_AFTER_MS_MAX);
}

/** Only what looks like a date of HTTP: Date.parse alone takes "-5" for a year. */
function httpDateMs(text: string): number {
  return /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
}

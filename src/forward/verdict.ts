// What an answer of the store means for the lines of the request. Pure.
//
//   taken       2xx                        they are there
//   later       5xx 408 425 429            the same request again, after a while
//   too large   413                        in two halves
//   settings    3xx 401 403 404 405 …      none of the lines' fault: somebody has to change a setting, and the lines wait
//   refused     400 409 422 …              for what is in them: in halves until those that are refused are alone
//
// A store answers 400 for a wrong address as well (VictoriaMetrics does), so a refusal counts only where an empty request is
// taken; whoever sends asks that.

import { FORWARD_ANSWER_BYTES_MAX } from "../limits.ts";

export type Verdict = "taken" | "later" | "too large" | "settings" | "refused";

/** Its status is 0 where there was no answer, and `text` says why. */
export interface StoreAnswer {
  status: number;
  /** The answer's first FORWARD_ANSWER_BYTES_MAX bytes. */
  text: string;
  retryAfterMs: number | null;
  /** By its header fields; such a store keeps what it has taken in memory for some seconds. */
  isVictoriaMetrics: boolean;
}

const LATER: ReadonlySet<number> = new Set([0, 408, 425, 429]);
const SETTINGS: ReadonlySet<number> = new Set([
  401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 501, 505,
]);

export function verdictOf({ status, text }: StoreAnswer): Verdict {
  if (status >= 200 && status < 300) return "taken";
  if (status === 413) return "too large";
  if (LATER.has(status)) return "later";
  if (SETTINGS.has(status) || (status > 0 && status < 400)) return "settings";
  if (status >= 500) return isSampleFault(text) ? "refused" : "later";
  return "refused";
}

/**
 * Prometheus with an out_of_order_time_window answers 500 for a sample that is older than it (seen with 2.42), for ever: the
 * fault is the sample's all the same.
 */
function isSampleFault(text: string): boolean {
  return /^too old sample/.test(text);
}

/** What to change, for a person. */
export function adviceFor({ status }: StoreAnswer): string {
  if (status === 401 || status === 407)
    return "give it a user and password, or a token (--basic-auth-file, --bearer-token-file)";
  if (status === 403)
    return "look at what the user, the token or the tenant (--header 'X-Scope-OrgID: …') may do";
  if (status < 400) return "give the address that it redirects to";
  return "look at the address: remote write is at /api/v1/write (Prometheus with --web.enable-remote-write-receiver, VictoriaMetrics), /api/v1/push (Mimir) or /api/v1/receive (Thanos)";
}

export function firstOf(text: string): string {
  return Buffer.from(text).subarray(0, FORWARD_ANSWER_BYTES_MAX).toString("utf8");
}

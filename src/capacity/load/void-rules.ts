// When a run says more about the generator than about the target. Pure: from the result to a sentence, or null.

import type { LoadResult } from "./load-result.ts";

/** Share of a core from which a thread was the limit itself: what is left goes to the system's own interrupts. */
export const BUSY_RATIO_MAX = 0.97;
/** Lateness of the generator's own from which an open loop is not the one that was planned, milliseconds. */
export const SEND_LAG_MS_P99_MAX = 10;
/** Of the latency's own p99: below this share lateness changes nothing that the run says of a slow target. */
const SEND_LAG_SHARE_MAX = 0.2;
/** Late sends that make a pattern: with fewer requests than 500 one in a hundred is a single hiccup of the machine. */
const LATE_SENDS_MIN = 5;
/** Share of the planned requests that must have been begun. */
const BEGUN_SHARE_MIN = 0.95;

export function voidReason(result: LoadResult): string | null {
  const reasons = [noDescriptor(result), noPort(result), busy(result), late(result)];
  const found = reasons.filter((reason) => reason !== null);
  return found.length === 0 ? null : found.join("; ");
}

function noDescriptor({ errors }: LoadResult): string | null {
  if (errors.no_descriptor === 0) return null;
  return `the generator had no file descriptor left for ${errors.no_descriptor} requests; try ulimit -n 65536 before it, or fewer --clients`;
}

function noPort({ errors }: LoadResult): string | null {
  if (errors.no_port === 0) return null;
  return `the generator had no client port left for ${errors.no_port} requests; try --keep-alive on, or a wider net.ipv4.ip_local_port_range`;
}

function busy({ generator, plan }: LoadResult): string | null {
  const ratio = Math.max(0, ...generator.map(({ cpuRatio, spinRatio }) => (cpuRatio ?? 0) - spinRatio));
  if (ratio < BUSY_RATIO_MAX) return null;
  return `a generator thread was busy ${Math.round(ratio * 100)} % of its time, so the rate is the generator's; try --threads ${plan.threads + 1}`;
}

function late(result: LoadResult): string | null {
  if (result.plan.arrivals.kind !== "open") return null;
  const sends = result.sendLag.count();
  const q = Math.min(0.99, 1 - LATE_SENDS_MIN / sends);
  const lagMs = q > 0 ? result.sendLag.percentile(q) / 1e6 : 0;
  const latencyMs = result.latency.percentile(0.99) / 1e6;
  if (lagMs > SEND_LAG_MS_P99_MAX && !(lagMs < latencyMs * SEND_LAG_SHARE_MAX)) {
    return `the generator sent 1 in 100 requests more than ${lagMs.toFixed(1)} ms late; try --threads ${result.plan.threads + 1}, or a lower --rate`;
  }
  if (result.requests >= result.planned * BEGUN_SHARE_MIN) return null;
  const share = Math.round((100 * result.requests) / result.planned);
  return `the generator came to send only ${share} % of the planned requests; try --threads ${result.plan.threads + 1}, or a lower --rate`;
}

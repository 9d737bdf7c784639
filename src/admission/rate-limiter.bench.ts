// What one take costs, with and without the hash of the name: for one client, for as many as the table holds, for
// names that come once, and for a client that is refused. One thread; prints nanoseconds of CPU.

import { realClock } from "../base/clock.ts";
import { RATE_LIMIT_CLIENTS_MAX } from "../limits.ts";
import { ClientHash } from "./client-hash.ts";
import { allocateRateLimiter } from "./rate-limiter.layout.ts";
import { RateLimiter } from "./rate-limiter.ts";

const NAME_BYTES = 12;

export function run(small: boolean): void {
  const takes = small ? 2_000 : 3_000_000;
  const names = new TextEncoder().encode(
    Array.from({ length: 4096 }, (_, index) => `agent-${String(index).padStart(NAME_BYTES - 6, "0")}`).join(
      "",
    ),
  );
  for (const round of small ? [1] : [1, 2, 3]) {
    report(round, "hash only", hashOnly(names, takes), takes);
    report(round, "one client", takeFrom(names, 0, 1_000_000, takes), takes);
    report(round, "4,096 clients", takeFrom(names, 4095, 1_000_000, takes), takes);
    report(round, "one client, refused", takeFrom(names, 0, 1, takes), takes);
    report(round, "a new name each time", takeFromInvented(takes), takes);
  }
}

function hashOnly(names: Uint8Array, takes: number): number {
  const hash = new ClientHash(1, 2);
  const start = cpuMs();
  for (let take = 0; take < takes; take++) {
    const offset = (take & 4095) * NAME_BYTES;
    hash.hash(names, offset, offset + NAME_BYTES);
  }
  return cpuMs() - start;
}

function takeFrom(names: Uint8Array, clientMask: number, rate: number, takes: number): number {
  const limiter = new RateLimiter(allocateRateLimiter(RATE_LIMIT_CLIENTS_MAX), rate, realClock);
  const hash = new ClientHash(1, 2);
  const startMs = realClock.monotonicMs();
  const start = cpuMs();
  for (let take = 0; take < takes; take++) {
    const offset = (take & clientMask) * NAME_BYTES;
    hash.hash(names, offset, offset + NAME_BYTES);
    limiter.tryTake(hash.low, hash.high, startMs + take * 1e-4);
  }
  return cpuMs() - start;
}

function takeFromInvented(takes: number): number {
  const limiter = new RateLimiter(allocateRateLimiter(RATE_LIMIT_CLIENTS_MAX), 10_000, realClock);
  const hash = new ClientHash(1, 2);
  const name = new Uint8Array(NAME_BYTES);
  const startMs = realClock.monotonicMs();
  const start = cpuMs();
  for (let take = 0; take < takes; take++) {
    name[0] = take;
    name[1] = take >> 8;
    name[2] = take >> 16;
    hash.hash(name, 0, NAME_BYTES);
    limiter.tryTake(hash.low, hash.high, startMs + take * 1e-4);
  }
  return cpuMs() - start;
}

/** CPU time, so that neighbours on the machine cost nothing; of all threads, of which one is ours. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function report(round: number, what: string, spentMs: number, takes: number): void {
  process.stdout.write(`round ${round}  ${what.padEnd(22)} ${((spentMs * 1e6) / takes).toFixed(1)} ns\n`);
}

if (import.meta.main) run(false);

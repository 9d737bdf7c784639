// Nanoseconds for one answer: one that is kept, one that is built because its second has just begun, and a refusal, which
// a server that is full sends as often as it can.

import { realClock } from "../base/clock.ts";
import { REFUSAL } from "../errors.ts";
import { Answers } from "./answers.ts";

export function run(small: boolean): void {
  const rounds = small ? 1 : 7;
  const repeats = small ? 100 : 100_000;
  const kept = new Answers(realClock);
  let steppingMs = 0;
  const built = new Answers({ wallMs: () => (steppingMs += 1000), monotonicMs: () => 0 });
  const best = new Map<string, number>();
  const options = { keepAlive: true, retryAfterS: 3 };
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    note(best, "stored, kept", repeats, () => {
      for (let index = 0; index < repeats; index++) bytes += kept.stored(3, true, 0).length;
    });
    note(best, "stored, built with a new date", repeats, () => {
      for (let index = 0; index < repeats; index++) bytes += built.stored(3, true, 0).length;
    });
    note(best, "refusal", repeats, () => {
      for (let index = 0; index < repeats; index++) bytes += kept.refusal(REFUSAL.queue, options).length;
    });
  }
  if (bytes === 0) throw new Error("cannot happen: no answer is empty");
  for (const [name, nanoseconds] of best) console.error(`answers ${name}: ${nanoseconds.toFixed(0)} ns`);
}

function note(best: Map<string, number>, name: string, repeats: number, work: () => void): void {
  const startedMs = performance.now();
  work();
  const nanoseconds = ((performance.now() - startedMs) * 1e6) / repeats;
  best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, nanoseconds));
}

if (import.meta.main) run(false);

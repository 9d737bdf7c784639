// From evidence to a ranked list of suspects: each is judged by its own rule on the level that shows the limit (with an
// eye on the others), then causes are told from symptoms and all are put in order. Pure.
// Always: every suspect is in the list, once; one whose source is missing is unknown and never ruled out. "Unknown" is an
// allowed answer; confident and wrong is the worst one.

import { ALL_CORES } from "./all-cores.ts";
import { CPU_QUOTA } from "./cpu-quota.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { DISK_FULL } from "./disk-full.ts";
import { CLIENT_PORTS, GENERATOR, NETWORK } from "./generator.ts";
import { LISTEN_QUEUE } from "./listen-queue.ts";
import { LOG_WRITE } from "./log-write.ts";
import { COLLECTION, MEMORY } from "./memory.ts";
import { ONE_THREAD } from "./one-thread.ts";
import { POOL } from "./pool.ts";
import { rank } from "./rank.ts";
import { RATE_LIMIT } from "./rate-limit.ts";
import { type DiagnosisInput, readInput } from "./reading.ts";
import { SLOW_SYNC } from "./slow-sync.ts";
import type { Suspect } from "./suspect.ts";
import { applyRule, type Rule } from "./suspect-rule.ts";
import { TARGET_STALL } from "./target-stall.ts";

export { type ChosenLevels, chooseLevels } from "./choose-levels.ts";
export type { DiagnosedLevel, DiagnosisInput } from "./reading.ts";

/** In the order of SUSPECT_IDS. */
const RULES: readonly Rule[] = [
  DESCRIPTORS,
  LISTEN_QUEUE,
  ONE_THREAD,
  ALL_CORES,
  CPU_QUOTA,
  POOL,
  LOG_WRITE,
  SLOW_SYNC,
  DISK_FULL,
  MEMORY,
  COLLECTION,
  RATE_LIMIT,
  NETWORK,
  GENERATOR,
  CLIENT_PORTS,
  TARGET_STALL,
];

/** All suspects: confirmed, possible, unknown, ruled-out; inside a verdict by weight. */
export function diagnose(input: DiagnosisInput): Suspect[] {
  const reading = readInput(input);
  const suspects = RULES.map((rule) => applyRule(rule, reading));
  const generator = suspects.find(({ id }) => id === "generator");
  const isVoid = reading.load.void !== null || generator?.verdict === "confirmed";
  return rank(suspects, isVoid);
}

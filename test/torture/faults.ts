// All faults of the torture bench.

import type { Fault } from "./fault.ts";
import { CLOCK } from "./faults/clock.ts";
import { DESCRIPTORS_FEW, DESCRIPTORS_LOWERED } from "./faults/descriptors.ts";
import { NO_ROOM, SYNCS_FAIL, SYNCS_SLOW, WRITES_FAIL, WRITES_SHORT } from "./faults/disk.ts";
import { KILL } from "./faults/kill.ts";
import { KILL_STARTING } from "./faults/kill-starting.ts";
import { STOP } from "./faults/stop.ts";
import { TERM } from "./faults/term.ts";
import { THREAD_ENDS, THREAD_FILLS, THREAD_SPINS, THREAD_THROWS } from "./faults/thread.ts";

/** Those that take a second or two, one of a kind. */
export const QUICK_FAULTS: readonly Fault[] = [
  KILL,
  KILL_STARTING,
  STOP,
  CLOCK,
  DESCRIPTORS_LOWERED,
  THREAD_THROWS,
  THREAD_ENDS,
];

export const FAULTS: readonly Fault[] = [
  ...QUICK_FAULTS,
  TERM,
  DESCRIPTORS_FEW,
  THREAD_SPINS,
  THREAD_FILLS,
  WRITES_FAIL,
  WRITES_SHORT,
  NO_ROOM,
  SYNCS_FAIL,
  SYNCS_SLOW,
];

// All faults of the cluster's oracle, in the two sequences that run beside each other: what happens to the NATS nodes, and what
// happens to the processes around them.

import type { Fault } from "./fault.ts";
import { DRAIN_ADD, DRAIN_KILL, DRAIN_KILL_ALL, DRAIN_PAUSE, DRAIN_REMOVE } from "./faults/drain.ts";
import { INGEST_KILL, INGEST_LOST, INGEST_TERM } from "./faults/ingest.ts";
import {
  NATS_ALL_KILL,
  NATS_CUT_OFF,
  NATS_KILL,
  NATS_LEADER_KILL,
  NATS_MAJORITY_CUT_OFF,
  NATS_MAJORITY_KILL,
  NATS_PAUSE,
  NATS_RESTART,
  NATS_SPLIT_OFF,
} from "./faults/nats.ts";

export interface Faults {
  readonly nats: readonly Fault[];
  readonly around: readonly Fault[];
}

/** One of each kind that a run of half a minute has time for. */
export const QUICK_FAULTS: Faults = {
  nats: [NATS_KILL, NATS_RESTART, NATS_CUT_OFF, NATS_LEADER_KILL, NATS_PAUSE],
  around: [INGEST_KILL, INGEST_LOST, DRAIN_KILL, DRAIN_PAUSE, DRAIN_ADD, DRAIN_REMOVE],
};

/**
 * The split is the one that nats-server 2.9.10 (Debian 12) does not hold by itself: after a leader without a majority its
 * replicas number the same stream differently. A drain acknowledges by the numbers of the replica that serves it, and the
 * others throw away what it never saw. The node whose log has it sends it again (src/replica/drained-check.ts).
 */
export const FAULTS: Faults = {
  nats: [...QUICK_FAULTS.nats, NATS_MAJORITY_KILL, NATS_MAJORITY_CUT_OFF, NATS_ALL_KILL, NATS_SPLIT_OFF],
  around: [...QUICK_FAULTS.around, INGEST_TERM, DRAIN_KILL_ALL],
};

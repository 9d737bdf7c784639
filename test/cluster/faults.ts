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

export const FAULTS: Faults = {
  nats: [...QUICK_FAULTS.nats, NATS_MAJORITY_KILL, NATS_MAJORITY_CUT_OFF, NATS_ALL_KILL],
  around: [...QUICK_FAULTS.around, INGEST_TERM, DRAIN_KILL_ALL],
};

/**
 * The split is the one that the NATS server of Debian 12, 2.9.10, does not hold, so only by its name (`long.ts --only
 * nats-split-off,…`): after a leader without a majority its replicas number the same stream differently. A drain acknowledges
 * by the numbers of the replica that serves it, and the others throw away what it never saw. The node whose log has it sends it
 * again (src/replica/drained-check.ts): nothing is lost while folders last, with this fault as well. With an ingest node deleted
 * beside it, what only that one had is: 27,479 of 255,802 metrics in one of some ten runs.
 */
export const FAULTS_BY_NAME: Faults = {
  nats: [...FAULTS.nats, NATS_SPLIT_OFF],
  around: FAULTS.around,
};

// Holds back the answers of batches that asked for `replicated`: the lane settles them when they are synced, and here they wait
// until the follower has them in the stream. Everybody else passes through at once.
//
//     lane ──settled──▶ gate ──▶ pipeline          level accepted, written, synced: in the same call
//                        │ held, by the number of the lane's last synced line
//     follower ──rings──▶┴─────▶ pipeline          replicated; or 504 after REPLICATED_MS_MAX
//
// One per ingest thread, and only where the server replicates. HOT: settled() runs once a commit.

import type { Clock } from "../base/clock.ts";
import { REFUSAL } from "../errors.ts";
import type { LanePositions } from "../follow/lane-positions.layout.ts";
import { REPLICATED_MS_MAX } from "../limits.ts";
import { ACK_REPLICATED } from "../log/files.ts";
import { type LaneHandler, STORED, WaiterGroup } from "../log/waiter-group.ts";

/** How often a gate that holds something looks at its clock, milliseconds. */
const LOOK_MS = 500;

interface Held<W> {
  /** The lane's synced end when its batches were synced: all of their lines are before it. */
  end: number;
  sinceMs: number;
  group: WaiterGroup<W>;
}

export class ReplicaGate<W> implements LaneHandler<W> {
  private readonly behind: LaneHandler<W>;
  private readonly positions: LanePositions;
  private readonly clock: Clock;
  /** Oldest first. */
  private readonly held: Held<W>[] = [];
  private readonly spare: WaiterGroup<W>[] = [];
  private readonly passing = new WaiterGroup<W>();
  private isWatching = false;

  constructor(behind: LaneHandler<W>, positions: LanePositions, clock: Clock) {
    this.behind = behind;
    this.positions = positions;
    this.clock = clock;
  }

  settled(
    waiters: readonly (W | null)[],
    tags: readonly number[],
    levels: readonly number[],
    count: number,
    refusal: number,
  ): void {
    if (refusal !== STORED || !includesReplicated(levels, count)) {
      this.behind.settled(waiters, tags, levels, count, refusal);
      return;
    }
    const group = this.spare.pop() ?? new WaiterGroup<W>();
    for (let at = 0; at < count; at++) {
      const level = levels[at]!;
      (level === ACK_REPLICATED ? group : this.passing).add(waiters[at]!, tags[at]!, level);
    }
    this.held.push({ end: this.positions.end, sinceMs: this.clock.monotonicMs(), group });
    this.positions.ringFollower();
    if (!this.isWatching) this.watchInBackground();
    this.passing.settle(this.behind, STORED);
  }

  private async watchInBackground(): Promise<void> {
    this.isWatching = true;
    while (this.held.length > 0) {
      const rings = this.positions.ringsByFollower();
      this.letGo();
      if (this.held.length > 0) await this.positions.untilRungByFollower(rings, LOOK_MS);
    }
    this.isWatching = false;
  }

  /** In order of their coming; what the follower left for later does not hold up what is behind it. */
  private letGo(): void {
    const tooLateMs = this.clock.monotonicMs() - REPLICATED_MS_MAX;
    for (let at = 0; at < this.held.length; ) {
      const { end, sinceMs, group } = this.held[at]!;
      const isDone = this.positions.isDone(end);
      if (!isDone && sinceMs > tooLateMs) {
        at++;
        continue;
      }
      this.held.splice(at, 1);
      group.settle(this.behind, isDone ? STORED : REFUSAL.replica_timeout);
      this.spare.push(group);
    }
  }
}

function includesReplicated(levels: readonly number[], count: number): boolean {
  for (let at = 0; at < count; at++) if (levels[at] === ACK_REPLICATED) return true;
  return false;
}

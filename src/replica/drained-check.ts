// Whether what the stream has acknowledged has come into a drain's store; what has not, and is in the stream no more, is sent
// again. A stream can lose what it acknowledged: NATS 2.9 by itself (docs/replication.md), any by a power cut of a majority, or by
// an operator's hand. Sending too much costs nothing but its way: a drain compares line numbers.
//
//     round n     to = all that is acknowledged by now;  sequence = the stream's last message
//     round n+1   the drains' record covers [checked, to)?                            ──▶ checked = to
//                 the stream still has a message of ours that is not behind `sequence`?  ──▶ asked again in the next round
//                 what the record, read anew, does not cover, and the log has           ──▶ sent again
//
// Nothing is taken for lost of a lane that no drain has ever seen. Runs on the follower's thread; asks once each
// REPLICA_CHECK_MS, and of the stream only where something lacks and the record has changed.

import type { LaneCursor, LineRange } from "../follow/lane-cursor.ts";
import { REPLICA_CHECK_ROUNDS_MAX } from "../limits.ts";
import type { HeldRecord } from "./drain/drain-bucket.ts";
import { type Interval, uncovered } from "./drain/intervals.ts";
import type { AccessLog } from "./stream-access.ts";

/** What is asked of the cluster. All of it throws the client's errors. */
export interface StreamView {
  /** Of the last message that the stream has taken. */
  lastSequence(): Promise<number>;
  /** Of the oldest message with that subject; null where the stream has none. */
  oldestSequence(subject: string): Promise<number | null>;
  /** What the drains know of the partition; null where there is no record yet. */
  record(partition: number): Promise<HeldRecord | null>;
}

export interface CheckedLane {
  lane: number;
  cursor: LaneCursor;
  partition(): number;
  subject(): string;
  /** Its name in the record: <origin>.<lane>. */
  source(): string;
  /** Numbers that need not be in any store: they are in dead-letter/ here. */
  setAside(): readonly Interval[];
  /** Whether the log has lines of these numbers, never had, or has deleted them. */
  kept(range: LineRange): "some" | "none" | "deleted";
  sendAgain(ranges: readonly LineRange[]): void;
  onChecked(): void;
}

interface Asked {
  to: number;
  sequence: number;
  /** Of the record when something lacked and was still in the stream. */
  revision: number;
}

export class DrainedCheck {
  private readonly lanes: readonly CheckedLane[];
  private readonly log: AccessLog;
  private readonly asked = new Map<CheckedLane, Asked>();
  /** How often in a row a lane's lines were sent again. */
  private readonly rounds = new Map<CheckedLane, number>();

  constructor(lanes: readonly CheckedLane[], log: AccessLog) {
    this.lanes = lanes;
    this.log = log;
  }

  /** Throws the client's errors; the next round asks again. */
  async round(view: StreamView): Promise<void> {
    for (const [lane, asked] of this.asked) await this.look(view, lane, asked);
    const next = this.lanes
      .filter((lane) => !this.asked.has(lane) && lane.cursor.checked < lane.cursor.needed)
      .map((lane) => ({ lane, to: lane.cursor.needed }));
    if (next.length === 0) return;
    // Asked for behind `to`: whatever has been acknowledged until then is not behind it in the stream.
    const sequence = await view.lastSequence();
    for (const { lane, to } of next) this.asked.set(lane, { to, sequence, revision: -1 });
  }

  private async look(view: StreamView, lane: CheckedLane, asked: Asked): Promise<void> {
    const before = await view.record(lane.partition());
    if (before === null || before.revision === asked.revision) return;
    const lacking = this.lacking(lane, before, asked.to);
    if (lacking === null) return;
    if (lacking.length === 0) {
      this.pass(lane, asked.to);
      return;
    }
    const oldest = await view.oldestSequence(lane.subject());
    if (oldest !== null && oldest <= asked.sequence) {
      asked.revision = before.revision;
      return;
    }
    // What has left the stream between the two questions is in a record that is read behind them.
    const record = await view.record(lane.partition());
    const lost = record === null ? null : this.lacking(lane, record, asked.to);
    if (lost !== null) this.mend(lane, lost, asked.to);
  }

  /** Null where no drain has seen the lane. */
  private lacking(lane: CheckedLane, { record }: HeldRecord, to: number): LineRange[] | null {
    const covered = record.lanes[lane.source()];
    if (covered === undefined) return null;
    return uncovered(covered, lane.cursor.checked, to)
      .flatMap(([from, end]) => uncovered(lane.setAside(), from, end))
      .map(([from, end]) => ({ from, to: end }));
  }

  private mend(lane: CheckedLane, lost: readonly LineRange[], to: number): void {
    const ranges = lost.filter((range) => this.isThere(lane, range));
    const rounds = (this.rounds.get(lane) ?? 0) + 1;
    if (ranges.length > 0 && rounds <= REPLICA_CHECK_ROUNDS_MAX) {
      this.rounds.set(lane, rounds);
      this.sendAgain(lane, ranges);
      return;
    }
    if (ranges.length > 0)
      this.log(
        "error",
        "lines that the stream has acknowledged are in no drain's store, though they were sent again; they are in the log here; see dead-letter/ of the drains",
        { lane: lane.lane, lines: linesIn(ranges), from: ranges[0]!.from, to: ranges.at(-1)!.to },
      );
    this.pass(lane, to);
  }

  private sendAgain(lane: CheckedLane, ranges: readonly LineRange[]): void {
    this.log("warn", "the stream has lost lines that it had acknowledged; they are sent again", {
      lane: lane.lane,
      lines: linesIn(ranges),
    });
    this.asked.delete(lane);
    lane.cursor.checked = ranges[0]!.from;
    lane.sendAgain(ranges);
  }

  private isThere(lane: CheckedLane, range: LineRange): boolean {
    const kept = lane.kept(range);
    if (kept === "deleted")
      this.log(
        "error",
        "lines that the stream has acknowledged are in no drain's store, and retention has deleted them here",
        { lane: lane.lane, ...range },
      );
    return kept === "some";
  }

  private pass(lane: CheckedLane, to: number): void {
    this.asked.delete(lane);
    this.rounds.delete(lane);
    lane.cursor.checked = to;
    lane.onChecked();
  }
}

function linesIn(ranges: readonly LineRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

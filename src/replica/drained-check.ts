// Whether what the stream has acknowledged has come into a drain's store, and stays there; what has not, and is in the stream no
// more, is sent again. A stream can lose what it acknowledged, and what drains commit in their bucket is a stream too: NATS 2.9 by
// itself (docs/replication.md), any by a power cut of a majority, or by an operator's hand. Sending too much costs nothing but
// its way: a drain compares line numbers.
//
//     round n     to = all that is acknowledged by now;  sequence = the stream's last message
//     round n+1   the drains' record covers [checked, to)?                            ──▶ a mark; an old one moves `checked`
//                 the stream still has a message of ours that is not behind `sequence`?  ──▶ asked again in the next round
//                 what the record, read anew, does not cover, and the log has           ──▶ sent again
//
// A mark counts when all before it is still covered REPLICA_SETTLED_MS later, longer than servers leave what they say unsynced.
// Nothing is taken for lost of a lane that no drain has ever seen. Runs on the follower's thread; asks once each
// REPLICA_CHECK_MS, and of the stream only where something lacks and the record has changed.

import type { LaneCursor, LineRange } from "../follow/lane-cursor.ts";
import { REPLICA_CHECK_ROUNDS_MAX, REPLICA_SETTLED_MS } from "../limits.ts";
import type { HeldRecord } from "./drain/drain-bucket.ts";
import { type Interval, uncovered, withCovered } from "./drain/intervals.ts";
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

/** What is known of a lane. */
interface Checked {
  readonly lane: CheckedLane;
  /** Under way: up to where, and behind which message of the stream it cannot be. */
  asked: { to: number; sequence: number } | null;
  /** Of the record when something lacked and was still in the stream. */
  revision: number;
  /** All before `to` was covered at that time; ascending. */
  marks: { to: number; atMs: number }[];
  /** How often in a row its lines were sent again, and the number behind the last of them. */
  rounds: number;
  roundsTo: number;
  /** Whether a drain has ever had lines of it. */
  isSeen: boolean;
  /** Numbers that are looked for no more. */
  excused: readonly Interval[];
}

export class DrainedCheck {
  private readonly lanes: readonly Checked[];
  private readonly log: AccessLog;

  constructor(lanes: readonly CheckedLane[], log: AccessLog) {
    this.lanes = lanes.map((lane) => ({
      lane,
      asked: null,
      revision: -1,
      marks: [],
      rounds: 0,
      roundsTo: 0,
      isSeen: false,
      excused: [],
    }));
    this.log = log;
  }

  /** Throws the client's errors; the next round asks again. `nowMs` is monotonic. */
  async round(view: StreamView, nowMs: number): Promise<void> {
    for (const checked of this.lanes) if (checked.asked !== null) await this.look(view, checked, nowMs);
    const next = this.lanes
      .filter(({ lane, asked }) => asked === null && lane.cursor.checked < lane.cursor.needed)
      .map((checked) => ({ checked, to: checked.lane.cursor.needed }));
    if (next.length === 0) return;
    // Asked for behind `to`: whatever has been acknowledged until then is not behind it in the stream.
    const sequence = await view.lastSequence();
    for (const { checked, to } of next) checked.asked = { to, sequence };
  }

  private async look(view: StreamView, checked: Checked, nowMs: number): Promise<void> {
    const { lane, asked } = checked;
    const { to, sequence } = asked!;
    const before = await view.record(lane.partition());
    if (before === null || before.revision === checked.revision) return;
    const lacking = this.lacking(checked, before, to);
    if (lacking === null) return;
    if (lacking.length === 0) {
      this.pass(checked, to, nowMs);
      return;
    }
    const oldest = await view.oldestSequence(lane.subject());
    if (oldest !== null && oldest <= sequence) {
      checked.revision = before.revision;
      return;
    }
    // What has left the stream between the two questions is in a record that is read behind them.
    const record = await view.record(lane.partition());
    const lost = record === null ? null : this.lacking(checked, record, to);
    if (lost === null) return;
    if (lost.length > 0) this.mend(checked, lost);
    else this.pass(checked, to, nowMs);
  }

  /** Null where no drain has seen the lane. */
  private lacking(checked: Checked, { record }: HeldRecord, to: number): LineRange[] | null {
    const { lane, excused } = checked;
    const covered = record.lanes[lane.source()];
    if (covered !== undefined) checked.isSeen = true;
    if (!checked.isSeen) return null;
    return uncovered(covered ?? [], lane.cursor.checked, to)
      .flatMap(([from, end]) => uncovered(lane.setAside(), from, end))
      .flatMap(([from, end]) => uncovered(excused, from, end))
      .map(([from, end]) => ({ from, to: end }));
  }

  /** All before `to` is drained, for now. */
  private pass(checked: Checked, to: number, nowMs: number): void {
    const { lane, marks } = checked;
    checked.asked = null;
    if (to >= checked.roundsTo) checked.rounds = 0;
    if (to > (marks.at(-1)?.to ?? lane.cursor.checked)) marks.push({ to, atMs: nowMs });
    const young = marks.findIndex(({ atMs }) => nowMs - atMs < REPLICA_SETTLED_MS);
    const settled = marks.splice(0, young < 0 ? marks.length : young).at(-1);
    if (settled === undefined) return;
    lane.cursor.checked = settled.to;
    checked.excused = checked.excused.filter(([, end]) => end > settled.to);
    lane.onChecked();
  }

  private mend(checked: Checked, lost: readonly LineRange[]): void {
    checked.asked = null;
    checked.marks = checked.marks.filter(({ to }) => to <= lost[0]!.from);
    const ranges = lost.filter((range) => this.isThere(checked, range));
    if (ranges.length === 0) return;
    checked.roundsTo = ranges.at(-1)!.to;
    if (++checked.rounds > REPLICA_CHECK_ROUNDS_MAX) this.giveUp(checked, ranges);
    else this.sendAgain(checked, ranges);
  }

  private sendAgain({ lane }: Checked, ranges: readonly LineRange[]): void {
    this.log("warn", "the stream has lost lines that it had acknowledged; they are sent again", {
      lane: lane.lane,
      lines: linesIn(ranges),
    });
    lane.sendAgain(ranges);
  }

  private giveUp(checked: Checked, ranges: readonly LineRange[]): void {
    const { lane } = checked.lane;
    this.log(
      "error",
      "lines that the stream has acknowledged are in no drain's store, though they were sent again; they are in the log here; see dead-letter/ of the drains",
      { lane, lines: linesIn(ranges), from: ranges[0]!.from, to: ranges.at(-1)!.to },
    );
    for (const range of ranges) excuse(checked, range);
  }

  private isThere(checked: Checked, range: LineRange): boolean {
    const { lane } = checked;
    const kept = lane.kept(range);
    if (kept === "some") return true;
    if (kept === "deleted")
      this.log(
        "error",
        "lines that the stream has acknowledged are in no drain's store, and retention has deleted them here",
        { lane: lane.lane, ...range },
      );
    excuse(checked, range);
    return false;
  }
}

function excuse(checked: Checked, { from, to }: LineRange): void {
  checked.excused = withCovered(checked.excused, from, to);
}

function linesIn(ranges: readonly LineRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

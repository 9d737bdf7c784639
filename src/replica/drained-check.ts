// Whether what the stream has acknowledged has come into a drain's store, and stays there; what has not, and is in the stream no
// more, is sent again. A stream can lose what it acknowledged, and what drains commit in their bucket is a stream too: NATS 2.9 by
// itself (docs/replication.md), any by a power cut of a majority, or by an operator's hand. Sending too much costs nothing but
// its way: a drain compares line numbers.
//
//     round n     to = all that is acknowledged by now;  sequence = the stream's last message
//     round n+1   the drains' record covers [checked, to)?                             ──▶ a mark; an old one moves `checked`
//                 the partition still has a message that is not behind `sequence`?     ──▶ asked again in the next round
//                 what the record, read anew, does not cover                           ──▶ sent again
//
// A mark counts when all before it is still covered REPLICA_SETTLED_MS later, longer than servers leave what they say unsynced.
// Nothing is taken for lost of a lane that no drain has ever seen. Runs on the follower's thread; asks once each
// REPLICA_CHECK_MS, and of the stream only where something lacks and the record has changed.

import type { LaneCursor, LineRange } from "../follow/lane-cursor.ts";
import { REPLICA_CHECK_TRIES_MAX, REPLICA_SETTLED_MS } from "../limits.ts";
import type { HeldRecord } from "./drain/drain-bucket.ts";
import { type Interval, uncovered } from "./drain/intervals.ts";
import type { AccessLog } from "./stream-access.ts";

/** What is asked of the cluster. All of it throws the client's errors. */
export interface StreamView {
  /** Of the last message that the stream has taken. */
  lastSequence(): Promise<number>;
  /** Of the oldest message of the partition, whoever sent it; null where the stream has none. */
  oldestSequence(partition: number): Promise<number | null>;
  /** What the drains know of the partition; null where there is no record yet. */
  record(partition: number): Promise<HeldRecord | null>;
}

export interface CheckedLane {
  lane: number;
  cursor: LaneCursor;
  partition(): number;
  /** Its name in the record: <origin>.<lane>. */
  source(): string;
  /** Numbers that no drain can have. */
  absent(): readonly Interval[];
  /** Those of them that there is room for. */
  sendAgain(ranges: readonly LineRange[]): LineRange[];
  onChecked(): void;
}

/** What is known of a lane. */
interface Checked {
  readonly lane: CheckedLane;
  /** Under way: up to where, and behind which message of the stream it cannot be. */
  asked: { to: number; sequence: number } | null;
  /** Of the record when something lacked and was still in the stream, and how many looks have been spared since. */
  queued: { revision: number; spared: number };
  /** All before `to` was covered at that time; ascending. */
  marks: { to: number; atMs: number }[];
  /** How often the lost ranges that begin there were sent again. */
  tries: Map<number, number>;
  /** Whether a drain has ever had lines of it. */
  isSeen: boolean;
}

/** A stream can lose what it has while the record stays as it is; made anew, it counts from 1. */
const SPARED_LOOKS_MAX = 12;
const NOT_QUEUED = { revision: -1, spared: 0 };

export class DrainedCheck {
  private readonly lanes: readonly Checked[];
  private readonly log: AccessLog;

  constructor(lanes: readonly CheckedLane[], log: AccessLog) {
    this.lanes = lanes.map((lane) => ({
      lane,
      asked: null,
      queued: NOT_QUEUED,
      marks: [],
      tries: new Map(),
      isSeen: lane.cursor.checked > 0,
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
    const { lane } = checked;
    const { to, sequence } = checked.asked!;
    const before = await view.record(lane.partition());
    if (before === null || this.isSpared(checked, before.revision)) return;
    let lacking = this.lacking(checked, before, to);
    if (lacking === null) return;
    if (this.tryable(checked, lacking).length > 0) {
      const oldest = await view.oldestSequence(lane.partition());
      if (oldest !== null && oldest <= sequence) {
        checked.queued = { revision: before.revision, spared: 0 };
        if ((await view.lastSequence()) < sequence) checked.asked = null;
        return;
      }
      // What has left the stream between the two questions is in a record that is read behind them.
      const record = await view.record(lane.partition());
      lacking = record === null ? null : this.lacking(checked, record, to);
      if (lacking === null) return;
    }
    this.conclude(checked, lacking, to, nowMs);
  }

  private isSpared({ queued }: Checked, revision: number): boolean {
    return queued.revision === revision && queued.spared++ < SPARED_LOOKS_MAX;
  }

  /** Null where no drain has seen the lane. */
  private lacking(checked: Checked, { record }: HeldRecord, to: number): LineRange[] | null {
    const { lane } = checked;
    const covered = record.lanes[lane.source()];
    if (covered !== undefined) checked.isSeen = true;
    if (!checked.isSeen) return null;
    return uncovered(covered ?? [], lane.cursor.checked, to)
      .flatMap(([from, end]) => uncovered(lane.absent(), from, end))
      .map(([from, end]) => ({ from, to: end }));
  }

  private tryable({ tries }: Checked, lacking: readonly LineRange[]): LineRange[] {
    return lacking.filter(({ from }) => (tries.get(from) ?? 0) < REPLICA_CHECK_TRIES_MAX);
  }

  /** What lacks is lost: all else before `to` is drained, for now. */
  private conclude(checked: Checked, lost: readonly LineRange[], to: number, nowMs: number): void {
    const { lane, marks, tries } = checked;
    checked.asked = null;
    checked.queued = NOT_QUEUED;
    for (const from of tries.keys())
      if (from < to && !lost.some((range) => range.from === from)) tries.delete(from);
    const drainedTo = lost[0]?.from ?? to;
    while (marks.length > 0 && marks.at(-1)!.to > drainedTo) marks.pop();
    if (drainedTo > (marks.at(-1)?.to ?? lane.cursor.checked)) marks.push({ to: drainedTo, atMs: nowMs });
    this.settle(checked, nowMs);
    const again = this.tryable(checked, lost);
    if (again.length > 0) this.sendAgain(checked, again);
  }

  private settle({ lane, marks }: Checked, nowMs: number): void {
    const young = marks.findIndex(({ atMs }) => nowMs - atMs < REPLICA_SETTLED_MS);
    const settled = marks.splice(0, young < 0 ? marks.length : young).at(-1);
    if (settled === undefined) return;
    lane.cursor.checked = settled.to;
    lane.onChecked();
  }

  private sendAgain({ lane, tries }: Checked, lost: readonly LineRange[]): void {
    const sent = lane.sendAgain(lost);
    for (const { from } of sent) tries.set(from, (tries.get(from) ?? 0) + 1);
    if (sent.length === 0) return;
    this.log("warn", "the stream has lost lines that it had acknowledged; they are sent again", {
      lane: lane.lane,
      lines: linesIn(sent),
    });
    const last = sent.filter(({ from }) => tries.get(from) === REPLICA_CHECK_TRIES_MAX);
    if (last.length === 0) return;
    this.log(
      "error",
      "lines that the stream has acknowledged do not come into a drain's store, however often they are sent; this is the last time before a new start; they are in the log here; see dead-letter/ of the drains",
      { lane: lane.lane, lines: linesIn(last), from: last[0]!.from, to: last.at(-1)!.to },
    );
  }
}

function linesIn(ranges: readonly LineRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

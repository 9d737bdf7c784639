// One lane on its way into the stream: who reads it, who publishes it, and how far it is; and what the check asks of it
// (drained-check.ts), which can make some of it late again.

import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { LaneCursor, LineRange } from "../follow/lane-cursor.ts";
import { LaneFollower } from "../follow/lane-follower.ts";
import type { LanePositions } from "../follow/lane-positions.layout.ts";
import type { LogFiles } from "../log/files.ts";
import type { Block } from "./block-message.ts";
import { type Interval, withCovered } from "./drain/intervals.ts";
import type { CheckedLane } from "./drained-check.ts";
import { SetAsideFile } from "./set-aside-file.ts";
import type { AccessLog, StreamAccess } from "./stream-access.ts";
import { type PublishFigures, StreamPublisher } from "./stream-publisher.ts";
import { blockSubject, partitionOf, type StreamSettings } from "./stream-settings.ts";

/** One lane of the data folder. */
export interface FollowedLane {
  lane: number;
  /** Where its thread says how far it is; null for a lane that no thread writes to: then it ends at `end`. */
  positions: LanePositions | null;
  end: number;
}

export interface ReplicatedLaneOptions extends FollowedLane {
  cursor: LaneCursor;
  /** Read for each block: it may be renewed. */
  origin(): string;
  access: StreamAccess;
  stream: StreamSettings;
  node: string;
  dataFolder: string;
  files: LogFiles;
  clock: Clock;
  log: AccessLog;
  figures: PublishFigures;
  /** The cursor has moved. */
  onMoved(): void;
}

export class ReplicatedLane implements CheckedLane {
  readonly lane: number;
  readonly cursor: LaneCursor;
  readonly follower: LaneFollower;
  private readonly options: ReplicatedLaneOptions;
  private readonly setAsideFile: SetAsideFile;
  /** Numbers that no drain can have: in dead-letter/ here, or not in the log. */
  private withoutLines: readonly Interval[] = [];
  /** How often lines were lost behind us, and the number behind the last of them. */
  private lost = { round: 0, end: 0 };
  private rings = 0;

  constructor(options: ReplicatedLaneOptions) {
    this.options = options;
    this.lane = options.lane;
    this.cursor = options.cursor;
    const { files, clock, log, access, origin, figures, dataFolder, positions } = options;
    this.setAsideFile = new SetAsideFile(files, dataFolder);
    const sink = new StreamPublisher({
      access,
      subject: () => this.subject(),
      lane: this.lane,
      origin,
      round: (line) => this.roundOf(line),
      figures,
      setAside: (block) => this.putAside(block),
      onGap: (from, to) => this.noteGap(from, to),
    });
    this.follower = new LaneFollower({
      files,
      clock,
      directory: this.directory,
      cursor: this.cursor,
      sink,
      readEnd: () => {
        this.rings = positions?.ringsByLane() ?? 0;
        return this.end;
      },
      untilMore: (msMax) =>
        positions?.untilRungByLane(this.rings, msMax) ?? new Promise((resolve) => setTimeout(resolve, msMax)),
      onMoved: () => this.moved(),
      onError: (error) =>
        log("error", "cannot follow a lane; it is tried again", { lane: this.lane, error: String(error) }),
    });
  }

  get end(): number {
    return this.options.positions?.end ?? this.options.end;
  }

  /** Tells the lane's thread how far it is. */
  tellDone(): void {
    const { needed, freshFrom, fresh } = this.cursor;
    this.options.positions?.setDone(needed, freshFrom, fresh);
  }

  partition(): number {
    return partitionOf(this.options.origin(), this.lane, this.options.stream.partitions);
  }

  source(): string {
    return `${this.options.origin()}.${this.lane}`;
  }

  absent(): readonly Interval[] {
    return this.withoutLines;
  }

  sendAgain(ranges: readonly LineRange[]): LineRange[] {
    const taken = this.follower.again(ranges);
    const end = Math.max(this.lost.end, taken.at(-1)?.to ?? 0);
    if (taken.length > 0) this.lost = { round: this.lost.round + 1, end };
    for (const { from, to } of taken) this.options.figures.linesSentAgain += to - from;
    this.moved();
    return taken;
  }

  onChecked(): void {
    this.withoutLines = this.withoutLines.filter(([, end]) => end > this.cursor.checked);
    this.options.onMoved();
  }

  private roundOf(line: number): number {
    return line < this.lost.end ? this.lost.round : 0;
  }

  private noteGap(from: number, to: number): void {
    this.withoutLines = withCovered(this.withoutLines, from, to);
    if (this.roundOf(from) === 0) return;
    this.options.log(
      "warn",
      "numbers that no drain has are not in the log here any more: deleted by retention, or taken out as damage",
      { lane: this.lane, from, to },
    );
  }

  private subject(): string {
    const { stream, node } = this.options;
    return blockSubject(stream.stream, this.partition(), node, this.lane);
  }

  private get directory(): string {
    return join(this.options.dataFolder, `lane-${this.lane}`);
  }

  private moved(): void {
    this.options.onMoved();
    this.tellDone();
  }

  private putAside(block: Block): void {
    const { log, access } = this.options;
    this.setAsideFile.add(block);
    this.withoutLines = withCovered(this.withoutLines, block.from, block.end);
    log(
      "error",
      "a line is too large for the NATS servers and is only in the log here, and in dead-letter/; raise max_payload there",
      { lane: this.lane, line: block.first, bytes: block.bytes.length, max_payload: access.messageBytesMax },
    );
  }
}

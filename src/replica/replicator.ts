// Replication of one server's log: a follower for each of its lanes, one connection to the cluster, one file of cursors.
//
//     lane 0 ─▶ LaneFollower ─▶ StreamPublisher ─┐
//     lane 1 ─▶ LaneFollower ─▶ StreamPublisher ─┼─▶ StreamAccess ─▶ NATS
//     …                                          ┘
//     cursors ─▶ followers/replicate.json, once a second, behind the stream's acknowledgement
//
// It runs on a thread of its own (server/replica.worker.ts) and never makes an ingest thread wait: those see only what it writes
// into the shared positions.

import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { CursorFile, REPLICATE_FOLLOWER } from "../follow/cursor-file.ts";
import type { LaneCursor } from "../follow/lane-cursor.ts";
import { LaneFollower } from "../follow/lane-follower.ts";
import type { LanePositions } from "../follow/lane-positions.layout.ts";
import { FOLLOW_LAST_MS_MAX, FOLLOW_SAVE_MS } from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import type { NatsSettings } from "../nats/nats-settings.ts";
import { SetAsideFile } from "./set-aside-file.ts";
import { type AccessLog, StreamAccess } from "./stream-access.ts";
import { type PublishFigures, StreamPublisher } from "./stream-publisher.ts";
import { blockSubject, partitionOf, type StreamSettings } from "./stream-settings.ts";

/** One lane of the data folder. */
export interface FollowedLane {
  lane: number;
  /** Where its thread says how far it is; null for a lane that no thread writes to: then it ends at `end`. */
  positions: LanePositions | null;
  end: number;
}

export interface ReplicatorOptions {
  nats: NatsSettings;
  stream: StreamSettings;
  node: string;
  dataFolder: string;
  lanes: readonly FollowedLane[];
  files: LogFiles;
  clock: Clock;
  log: AccessLog;
}

/** What an operator is told of it. */
export interface ReplicaFigures extends PublishFigures {
  isFlowing: boolean;
  freshLagMs: number;
  /** Lines that are not in the stream yet, and those of them that were left for later. */
  linesBehind: number;
  linesLate: number;
}

interface Followed extends FollowedLane {
  cursor: LaneCursor;
  follower: LaneFollower;
}

export class Replicator {
  private readonly options: ReplicatorOptions;
  private readonly cursors: CursorFile;
  private readonly access: StreamAccess;
  private readonly followed: Followed[];
  private readonly published: PublishFigures = {
    blocks: 0,
    lines: 0,
    bytes: 0,
    messageBytes: 0,
    duplicates: 0,
    retries: 0,
    linesSetAside: 0,
  };
  private isUnsaved = false;
  private saveTimer: ReturnType<typeof setInterval> | null = null;
  private saveTrouble = "";
  private running: Promise<unknown> = Promise.resolve();

  /** Throws TidemarkError where its cursors cannot be read. */
  constructor(options: ReplicatorOptions) {
    this.options = options;
    const { files, dataFolder, nats, stream, node, log } = options;
    this.cursors = new CursorFile(files, dataFolder, REPLICATE_FOLLOWER);
    this.access = new StreamAccess({
      nats,
      stream,
      name: `tidemark ${node}`,
      log,
      onFlowing: (isFlowing) => this.setFlowing(isFlowing),
    });
    this.followed = options.lanes.map((lane) => this.follow(lane));
  }

  /** Until close(). */
  runInBackground(): void {
    // One that died may have left it said.
    this.setFlowing(false);
    this.checkEnds();
    for (const { positions, cursor } of this.followed) tellDone(positions, cursor);
    this.running = Promise.all(this.followed.map(({ follower }) => follower.run()));
    this.saveTimer = setInterval(() => this.saveIfMoved(), FOLLOW_SAVE_MS);
    this.access.available();
  }

  figures(): ReplicaFigures {
    let freshLagMs = 0;
    let linesBehind = 0;
    let linesLate = 0;
    for (const lane of this.followed) {
      const late = lane.cursor.lateLines;
      freshLagMs = Math.max(freshLagMs, lane.follower.freshLagMs);
      linesLate += late;
      linesBehind += late + Math.max(0, endOf(lane) - lane.cursor.fresh);
    }
    return { ...this.published, isFlowing: this.access.isFlowing, freshLagMs, linesBehind, linesLate };
  }

  /** The last lines are given a moment; then it ends as it is, and the next start goes on from there. */
  async close(): Promise<void> {
    const { clock } = this.options;
    const deadlineMs = clock.monotonicMs() + FOLLOW_LAST_MS_MAX;
    const isBehind = () => this.followed.some((lane) => lane.cursor.fresh < endOf(lane));
    while (this.access.isFlowing && isBehind() && clock.monotonicMs() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 10));
    for (const { follower } of this.followed) follower.close();
    await this.access.close();
    await this.running;
    if (this.saveTimer !== null) clearInterval(this.saveTimer);
    this.saveIfMoved();
  }

  private follow(lane: FollowedLane): Followed {
    const { node, stream, dataFolder, files, clock, log } = this.options;
    const cursor = this.cursors.cursorOf(`lane-${lane.lane}`);
    const setAside = new SetAsideFile(files, dataFolder);
    const sink = new StreamPublisher({
      access: this.access,
      subject: () => {
        const partition = partitionOf(this.cursors.origin, lane.lane, stream.partitions);
        return blockSubject(stream.stream, partition, node, lane.lane);
      },
      lane: lane.lane,
      origin: () => this.cursors.origin,
      figures: this.published,
      setAside: (block) => {
        setAside.add(block);
        log(
          "error",
          "a line is too large for the NATS servers and is only in the log here, and in dead-letter/; raise max_payload there",
          {
            lane: lane.lane,
            line: block.first,
            bytes: block.bytes.length,
            max_payload: this.access.messageBytesMax,
          },
        );
      },
    });
    let rings = 0;
    const { positions } = lane;
    const follower = new LaneFollower({
      files,
      clock,
      directory: join(dataFolder, `lane-${lane.lane}`),
      cursor,
      sink,
      readEnd() {
        rings = positions?.ringsByLane() ?? 0;
        return positions?.end ?? lane.end;
      },
      untilMore: (msMax) =>
        positions?.untilRungByLane(rings, msMax) ?? new Promise((resolve) => setTimeout(resolve, msMax)),
      onMoved: () => {
        this.isUnsaved = true;
        tellDone(positions, cursor);
      },
      onError: (error) =>
        log("error", "cannot follow a lane; it is tried again", { lane: lane.lane, error: String(error) }),
    });
    return { ...lane, cursor, follower };
  }

  /** A log that ends before its cursor has lost what the stream has: its numbers come again, and must count as others. */
  private checkEnds(): void {
    const shorter = this.followed.filter((lane) => lane.cursor.fresh > endOf(lane));
    if (shorter.length === 0) return;
    for (const lane of shorter) lane.cursor.cutTo(endOf(lane));
    this.cursors.renew();
    this.options.log(
      "warn",
      "the log ends before what has been replicated of it (a power cut, or a copy put back); what is written from now on counts as another log's",
      { lanes: shorter.map(({ lane }) => lane) },
    );
  }

  private setFlowing(isFlowing: boolean): void {
    for (const { positions } of this.options.lanes) positions?.setFlowing(isFlowing);
  }

  private saveIfMoved(): void {
    if (!this.isUnsaved) return;
    try {
      this.cursors.save();
      this.isUnsaved = false;
      this.saveTrouble = "";
    } catch (error) {
      const trouble = String(error);
      if (trouble === this.saveTrouble) return;
      this.saveTrouble = trouble;
      this.options.log(
        "error",
        "cannot store how far the log is replicated; a start would send some of it again",
        {
          error: trouble,
        },
      );
    }
  }
}

function endOf({ positions, end }: FollowedLane): number {
  return positions?.end ?? end;
}

function tellDone(positions: LanePositions | null, cursor: LaneCursor): void {
  positions?.setDone(cursor.needed, cursor.freshFrom, cursor.fresh);
}

// Replication of one server's log: a follower for each of its lanes, one connection to the cluster, one file of cursors.
//
//     lane 0 ─▶ LaneFollower ─▶ StreamPublisher ─┐
//     lane 1 ─▶ LaneFollower ─▶ StreamPublisher ─┼─▶ StreamAccess ─▶ NATS
//     …                                          ┘
//     cursors ─▶ followers/replicate.json, once a second, behind the stream's acknowledgement
//     DrainedCheck: what the stream has lost on its way into a drain's store is late again
//
// It runs on a thread of its own (server/replica.worker.ts) and never makes an ingest thread wait: those see only what it writes
// into the shared positions.

import type { Clock } from "../base/clock.ts";
import { CursorFile, REPLICATE_FOLLOWER } from "../follow/cursor-file.ts";
import { FOLLOW_LAST_MS_MAX, FOLLOW_SAVE_MS } from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import type { NatsSettings } from "../nats/nats-settings.ts";
import { DrainedCheck } from "./drained-check.ts";
import { type FollowedLane, ReplicatedLane } from "./replicated-lane.ts";
import { type AccessLog, StreamAccess } from "./stream-access.ts";
import type { PublishFigures } from "./stream-publisher.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { viewStream } from "./stream-view.ts";

export interface ReplicatorOptions {
  nats: NatsSettings;
  stream: StreamSettings;
  node: string;
  dataFolder: string;
  lanes: readonly FollowedLane[];
  files: LogFiles;
  clock: Clock;
  log: AccessLog;
  /** Between two looks after what the stream has acknowledged, milliseconds. */
  checkMs: number;
}

/** What an operator is told of it. */
export interface ReplicaFigures extends PublishFigures {
  isFlowing: boolean;
  freshLagMs: number;
  /** Lines that are not in the stream yet, and those of them that were left for later. */
  linesBehind: number;
  linesLate: number;
  /** In the stream by its word, and in no drain's store as far as is known. */
  linesUnchecked: number;
}

export class Replicator {
  private readonly options: ReplicatorOptions;
  private readonly cursors: CursorFile;
  private readonly access: StreamAccess;
  private readonly followed: ReplicatedLane[];
  private readonly published: PublishFigures = {
    blocks: 0,
    lines: 0,
    bytes: 0,
    messageBytes: 0,
    duplicates: 0,
    retries: 0,
    linesSetAside: 0,
    linesSentAgain: 0,
  };
  private readonly check: DrainedCheck;
  private checkTimer: ReturnType<typeof setInterval> | null = null;
  private checkTrouble = "";
  private isChecking = false;
  private isUnsaved = false;
  private saveTimer: ReturnType<typeof setInterval> | null = null;
  private saveTrouble = "";
  private running: Promise<unknown> = Promise.resolve();

  /** Throws TidemarkError where its cursors cannot be read. */
  constructor(options: ReplicatorOptions) {
    this.options = options;
    const { files, dataFolder, nats, stream, node, log } = options;
    this.cursors = new CursorFile(files, dataFolder, REPLICATE_FOLLOWER);
    this.cursors.sendTo(`${stream.stream}/${stream.partitions}`);
    this.access = new StreamAccess({
      nats,
      stream,
      name: `tidemark ${node}`,
      log,
      onFlowing: (isFlowing) => this.setFlowing(isFlowing),
    });
    this.followed = options.lanes.map((lane) => this.follow(lane));
    this.check = new DrainedCheck(this.followed, log);
  }

  /** Until close(). */
  runInBackground(): void {
    // One that died may have left it said.
    this.setFlowing(false);
    this.checkEnds();
    for (const lane of this.followed) lane.tellDone();
    this.running = Promise.all(this.followed.map(({ follower }) => follower.run()));
    this.saveTimer = setInterval(() => this.saveIfMoved(), FOLLOW_SAVE_MS);
    // Where blocks are to be dropped by their age, that no drain has one says nothing.
    if (this.options.stream.ageMsMax === 0)
      this.checkTimer = setInterval(() => void this.checkInBackground(), this.options.checkMs);
    this.access.available();
  }

  figures(): ReplicaFigures {
    let freshLagMs = 0;
    let linesBehind = 0;
    let linesLate = 0;
    let linesUnchecked = 0;
    for (const lane of this.followed) {
      const late = lane.cursor.lateLines;
      freshLagMs = Math.max(freshLagMs, lane.follower.freshLagMs);
      linesLate += late;
      linesUnchecked += Math.max(0, lane.cursor.fresh - lane.cursor.checked - late);
      linesBehind += late + Math.max(0, lane.end - lane.cursor.fresh);
    }
    return {
      ...this.published,
      isFlowing: this.access.isFlowing,
      freshLagMs,
      linesBehind,
      linesLate,
      linesUnchecked,
    };
  }

  /** The last lines are given a moment; then it ends as it is, and the next start goes on from there. */
  async close(): Promise<void> {
    const { clock } = this.options;
    const deadlineMs = clock.monotonicMs() + FOLLOW_LAST_MS_MAX;
    const isBehind = () => this.followed.some((lane) => lane.cursor.fresh < lane.end);
    while (this.access.isFlowing && isBehind() && clock.monotonicMs() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.checkTimer !== null) clearInterval(this.checkTimer);
    for (const { follower } of this.followed) follower.close();
    await this.access.close();
    await this.running;
    if (this.saveTimer !== null) clearInterval(this.saveTimer);
    this.saveIfMoved();
  }

  private follow(lane: FollowedLane): ReplicatedLane {
    return new ReplicatedLane({
      ...this.options,
      ...lane,
      cursor: this.cursors.cursorOf(`lane-${lane.lane}`),
      origin: () => this.cursors.origin,
      access: this.access,
      figures: this.published,
      onMoved: () => {
        this.isUnsaved = true;
      },
    });
  }

  private async checkInBackground(): Promise<void> {
    const connection = this.access.flowing;
    if (connection === null || this.isChecking) return;
    this.isChecking = true;
    try {
      const { stream, clock } = this.options;
      await this.check.round(await viewStream(connection, stream.stream), clock.monotonicMs());
      this.checkTrouble = "";
    } catch (error) {
      this.tellCheckTrouble(error);
    }
    this.isChecking = false;
  }

  /** Once, and nothing of elections and the like: the next round asks again. */
  private tellCheckTrouble(error: unknown): void {
    const trouble = String(error);
    if (!/permission/i.test(trouble) || trouble === this.checkTrouble) return;
    this.checkTrouble = trouble;
    const { stream } = this.options.stream;
    this.options.log(
      "warn",
      `cannot see what the drains have stored because our user may not; see its permissions for $JS.API.STREAM.*; what the stream ${stream} loses is not sent again`,
      { error: trouble },
    );
  }

  /** A log that ends before its cursor has lost what the stream has: its numbers come again, and must count as others. */
  private checkEnds(): void {
    const shorter = this.followed.filter((lane) => lane.cursor.fresh > lane.end);
    if (shorter.length === 0) return;
    for (const lane of shorter) lane.cursor.cutTo(lane.end);
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

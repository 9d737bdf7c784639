// A partition that this drain owns, from taking it to giving it up or losing it. The round:
//
//     messages ─▶ group ─▶ what is not covered ─▶ lane, synced ─▶ record, by compare-and-set ─▶ acknowledged
//                   ▲                                   │ refused: waits         │ changed by another: lost
//                   └── the next is decoded meanwhile   └ broken: opened anew    └─▶ the lane is cut back
//
// The compare-and-set is the commit: before it the lines count nowhere, and a death leaves them to be cut off; behind it they
// are drained, and the acknowledgement only tells the stream, which may ask again. So each line is stored once, whatever is
// retried or delivered again on either side. One group is in the lane at a time.

import { randomBytes } from "node:crypto";
import { retryMs } from "../../follow/backoff.ts";
import { DISK_PROBE_INTERVAL_MS, FOLLOW_RETRY_MS_MAX, FOLLOW_RETRY_MS_MIN } from "../../limits.ts";
import { BlockPuller } from "./block-puller.ts";
import { acknowledge } from "./delivery.ts";
import type { HeldRecord } from "./drain-bucket.ts";
import type { DrainContext } from "./drain-context.ts";
import { countForgotten } from "./forgotten-blocks.ts";
import type { Group } from "./group.ts";
import { planGroup } from "./group.ts";
import { GroupCollector } from "./group-collector.ts";
import { tellCut } from "./own-lanes.ts";
import { addConsumer, consumerName, renewConsumer } from "./partition-consumer.ts";
import type { PartitionRecord } from "./partition-record.ts";
import { PartitionStore, reasonOf, storeDirectory } from "./partition-store.ts";
import { pause } from "./pause.ts";

/** Checks of a consumer that is away, in a row, before that is told: one comes with each request for messages. */
const AWAY_CHECKS_TOLD = 20;
/** A leader that is none any more may answer one of them. */
const BEHIND_LOOKS = 3;

/** How it ended: given up in good order, taken by another, or left as it is because the time to end was up. */
export type PartitionEnd = "released" | "lost" | "left";

export class PartitionDrain {
  readonly partition: number;
  private readonly context: DrainContext;
  private held: HeldRecord;
  private readonly store: PartitionStore;
  private collector: GroupCollector | null = null;
  private puller: BlockPuller | null = null;
  private isClosing = false;
  private isGivenUp = false;
  /** The record as another has changed it: where our part of it ends is in it, for good. */
  private lost: PartitionRecord | null = null;
  /** In a row, that found the record older than it was. */
  private looksBehind = 0;
  /** Where our lane ended when the partition became ours. */
  private endAtFirst: number | null = null;
  private isStoring = true;
  private committing: Promise<unknown> = Promise.resolve();
  private isChecking = false;
  private awayChecks = 0;
  /** That have come, and how many they were at the last look. */
  private messages = 0;
  private messagesTended = 0;
  private retention: { ageMsMax: number; bytesMax: number } | null = null;
  readonly ended: Promise<PartitionEnd>;

  /** `held` is the record that says that the partition is ours. */
  constructor(context: DrainContext, partition: number, held: HeldRecord) {
    this.context = context;
    this.partition = partition;
    this.held = held;
    this.store = new PartitionStore({
      files: context.files,
      directory: storeDirectory(context.dataFolder, partition),
      ...context.settings,
      onEvent: (event) => context.onLaneEvent(partition, event),
      onOutage: (refusal) =>
        this.log("error", "the disk takes no more; blocks stay in the stream until it does", {
          reason: reasonOf(refusal),
        }),
      onOutageOver: () => this.log("info", "the disk takes blocks again", {}),
      isGivenUp: () => this.isGivenUp,
    });
    this.ended = this.run();
  }

  /** Finishes the commit under way and gives the partition up. */
  release(): void {
    this.isClosing = true;
    this.collector?.close();
  }

  /** Waits for nothing any more: what is not committed by now is cut off by the next start. */
  giveUp(): void {
    this.isGivenUp = true;
    this.release();
  }

  /** The record as somebody has read it: whether another has the partition now. One older than ours says nothing. */
  check({ record, revision }: HeldRecord): void {
    const { held, context } = this;
    if (revision <= held.revision) return;
    if (record.owner === context.id && record.epoch === held.record.epoch) return;
    this.lose(record);
  }

  /**
   * The record as it was read behind a write to the bucket, and the revision that was ours before that. Where it is older, look
   * after look, the servers have lost what we committed: it is committed again, or, where the partition was another's before
   * that and may be again, given up.
   */
  checkBehindWrite(found: HeldRecord, revisionBefore: number): void {
    this.looksBehind = found.revision < revisionBefore ? this.looksBehind + 1 : 0;
    if (this.looksBehind < BEHIND_LOOKS) {
      this.check(found);
      return;
    }
    this.looksBehind = 0;
    this.log("warn", "the record of a partition has gone back; what the store has is committed again", {
      revision: found.revision,
      committed: revisionBefore,
    });
    const { owner, epoch } = this.held.record;
    const isOurs = found.record.owner === owner && found.record.epoch === epoch;
    if (found.revision === 0 || isOurs) void this.commit({}).catch(() => {});
    else this.lose(found.record);
  }

  get revision(): number {
    return this.held.revision;
  }

  private lose(record: PartitionRecord): void {
    this.lost = record;
    this.collector?.close();
  }

  /** The connection was away: a request for messages may be forgotten there. */
  reconnected(): void {
    this.puller?.askAgain();
  }

  /** Messages of it that the stream has and nobody was given yet. */
  get pending(): number {
    return this.collector?.pending ?? 0;
  }

  get bytes(): number {
    return this.store.bytes;
  }

  /** Deletes what is past these bounds when the next group is committed, or at once where nothing is under way. */
  retain(ageMsMax: number, bytesMax: number): void {
    this.retention = { ageMsMax, bytesMax };
    if (!this.isStoring) this.retainNow();
  }

  /** For a partition that is quiet, now and then: ends a file that is old enough, and asks for blocks that were forgotten. */
  tendInBackground(): void {
    this.store.rotateIfOld();
    const isQuiet = !this.isOver && !this.isStoring && this.messages === this.messagesTended;
    this.messagesTended = this.messages;
    if (isQuiet) void this.renewForForgotten();
  }

  private get isOver(): boolean {
    return this.isClosing || this.lost !== null || this.isGivenUp;
  }

  private async run(): Promise<PartitionEnd> {
    let end: PartitionEnd = "left";
    try {
      if ((await this.openStore()) && (await this.makeConsumer())) await this.drainGroups();
      end = await this.finish();
    } catch (error) {
      this.log("error", "cannot go on with a partition; it is taken anew", { error: String(error) });
    } finally {
      this.puller?.close();
      await this.store.close();
    }
    return end;
  }

  private async drainGroups(): Promise<void> {
    const { connection, stream } = this.context;
    this.puller = new BlockPuller({
      connection,
      stream,
      consumer: consumerName(this.partition),
      onMore: () => {
        this.messages++;
        this.collector?.more();
      },
      onAway: () => void this.checkInBackground(addConsumer),
      onSilent: () => {
        this.log("warn", "nobody answers for the consumer of a partition; it is made anew", {});
        void this.checkInBackground(renewConsumer);
      },
    });
    const collector = new GroupCollector(this.context, this.puller);
    this.collector = collector;
    this.isStoring = false;
    while (!this.isOver) {
      const group = await collector.next();
      if (group === null) return;
      this.isStoring = true;
      if (!(await this.storeGroup(group))) return;
      this.isStoring = false;
      this.retainNow();
      for (const message of group.messages) {
        acknowledge(connection, message);
        this.puller.giveBack(message);
      }
    }
  }

  /** False where the partition is not ours any more, or there is no time. */
  private async storeGroup(group: Group): Promise<boolean> {
    const { figures, id } = this.context;
    for (;;) {
      const plan = planGroup(group.blocks, this.held.record.lanes);
      if (plan.pieces.length > 0) {
        const appended = await this.store.append(plan.pieces);
        if (appended === "given up") return false;
        if (appended === "broken") {
          if (!(await this.openStore())) return false;
          continue;
        }
        const stores = { ...this.held.record.stores, [id]: appended.end };
        if (!(await this.commit({ lanes: plan.lanes, stores }))) return false;
        figures.commits++;
      }
      figures.blocks += group.blocks.length;
      figures.lines += plan.lines;
      figures.bytes += plan.bytes;
      figures.linesAgain += plan.linesAgain;
      return true;
    }
  }

  /** False where the partition is not ours any more, or nobody can say. One after the other. */
  private commit(changes: Partial<PartitionRecord>): Promise<boolean> {
    const committed = this.committing.then(() => this.commitNow(changes));
    this.committing = committed.catch(() => {});
    return committed;
  }

  private async commitNow(changes: Partial<PartitionRecord>): Promise<boolean> {
    const commit = randomBytes(8).toString("hex");
    const next = { ...this.held.record, ...changes, commit };
    const isOver = () => this.isGivenUp || this.lost !== null;
    const found = await this.context.bucket.swap(this.partition, this.held, next, isOver);
    if (found?.record.commit === commit) this.held = found;
    else if (found !== null) this.lost = found.record;
    return this.held.record.commit === commit;
  }

  /** Opens the lane where the record says that it ends; false where that is not ours to say any more. */
  private async openStore(): Promise<boolean> {
    const { stores } = this.held.record;
    const committed = stores[this.context.id] ?? null;
    const end = await this.openAt(committed);
    this.endAtFirst ??= end;
    if (end === null || end === committed) return end !== null;
    if (committed !== null)
      this.log(
        "error",
        "the store has fewer lines than were drained into it; what it lacks is lost here; check the disk",
        { lines: committed - end },
      );
    else if (end > 0)
      this.log("warn", "nothing is known of what the store has of a partition; all of it counts as drained", {
        lines: end,
      });
    // before anything is appended, so that what is not committed can be told from what is
    return await this.commit({ stores: { ...stores, [this.context.id]: end } });
  }

  /** Where the lane ends then. Tries for as long as the disk makes it; null where there is no time. */
  private async openAt(committed: number | null): Promise<number | null> {
    for (let told = false; !this.isGivenUp; told = true) {
      try {
        await this.store.close();
        const report = this.store.open(committed);
        tellCut(this.context, this.partition, report);
        return report.nextSequence;
      } catch (error) {
        if (!told)
          this.log("error", "cannot open the store of a partition; it is tried again", {
            error: String(error),
          });
        await pause(DISK_PROBE_INTERVAL_MS);
      }
    }
    return null;
  }

  private async makeConsumer(): Promise<boolean> {
    for (let failures = 0; !this.isOver; failures++) {
      try {
        await renewConsumer(this.context, this.partition);
        return true;
      } catch (error) {
        if (failures === 3)
          this.log("warn", "cannot make the consumer of a partition; it is tried again", {
            error: String(error),
          });
        await pause(retryMs(failures, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random));
      }
    }
    return false;
  }

  /** The consumer is gone: with the partition, which another has taken; or somebody has deleted it. */
  private async checkInBackground(remedy: typeof addConsumer): Promise<void> {
    if (this.isChecking || this.isOver) return;
    this.isChecking = true;
    try {
      this.check(await this.context.bucket.readRecord(this.partition));
      if (!this.isOver) await remedy(this.context, this.partition);
      this.awayChecks = 0;
    } catch (error) {
      // an election takes some of them
      if (++this.awayChecks === AWAY_CHECKS_TOLD)
        this.log("warn", "cannot have the blocks of a partition; it is tried again", {
          error: String(error),
        });
    }
    this.isChecking = false;
  }

  private async renewForForgotten(): Promise<void> {
    const before = this.messages;
    try {
      const blocks = await countForgotten(this.context, this.partition);
      if (blocks === 0 || this.messages !== before || this.isOver) return;
      this.log("warn", "the stream has blocks that its consumer takes for acknowledged; it is made anew", {
        blocks,
      });
      await this.checkInBackground(renewConsumer);
    } catch {
      // asked again the next time
    }
  }

  /** What is left to do, once nothing is under way. */
  private async finish(): Promise<PartitionEnd> {
    if (this.lost === null && !this.isGivenUp && (await this.commit({ owner: "" }))) return "released";
    if (this.lost === null) return "left";
    this.puller?.refuseAll();
    // what was appended and not committed is another's to store
    const { id } = this.context;
    if ((await this.openAt(this.lost.stores[id] ?? this.endAtFirst)) === null) return "left";
    if (this.lost.owner !== id)
      this.log("warn", "another drain has taken a partition", { owner: this.lost.owner });
    return "lost";
  }

  private retainNow(): void {
    if (this.retention === null) return;
    const { ageMsMax, bytesMax } = this.retention;
    this.retention = null;
    this.store.retain(ageMsMax, bytesMax);
  }

  private log(level: "info" | "warn" | "error", text: string, fields: Record<string, unknown>): void {
    this.context.log(level, text, { partition: this.partition, ...fields });
  }
}

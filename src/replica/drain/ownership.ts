// Who drains which partition. Once every DRAIN_BEAT_MS each drain says that it lives, looks at the others' beats and at all
// records, takes what is free up to its share, and gives up what is more than that (fair-share.ts).
//
//     free ──(compare-and-set)──▶ ours ──(released, at SIGTERM or for another's share)──▶ free
//      ▲                            │
//      └── no beat of the owner in DRAIN_SILENT_LOOKS looks ── the owner is dead, paused, or cut off
//
// No clock is compared with another's: a drain counts as dead when somebody has looked so many times and seen the same beat.
// One that was paused and wakes up finds its record changed at the next commit, whatever it believed until then: that, not
// the beats, is what keeps two from storing the same.

import { randomBytes } from "node:crypto";
import { TidemarkError } from "../../errors.ts";
import { DRAIN_BEAT_MS, DRAIN_FORGET_LOOKS, DRAIN_SILENT_LOOKS } from "../../limits.ts";
import type { HeldRecord } from "./drain-bucket.ts";
import type { DrainContext } from "./drain-context.ts";
import { toGiveUp, toTake } from "./fair-share.ts";
import { PartitionDrain } from "./partition-drain.ts";
import { pause } from "./pause.ts";

interface SeenBeat {
  beat: number;
  /** In how many looks in a row it was the same. */
  looks: number;
}

export class Ownership {
  private readonly context: DrainContext;
  private readonly partitions: number;
  private readonly owned = new Map<number, PartitionDrain>();
  private readonly seen = new Map<string, SeenBeat>();
  private isClosing = false;
  private ownBeat = 0;
  private failures = 0;
  private looking: Promise<void> = Promise.resolve();
  /** What was last told to be wrong with a partition's record. */
  private readonly told = new Map<number, string>();

  constructor(context: DrainContext, partitions: number) {
    this.context = context;
    this.partitions = partitions;
  }

  runInBackground(): void {
    this.looking = this.look();
  }

  get all(): readonly PartitionDrain[] {
    return [...this.owned.values()];
  }

  reconnected(): void {
    for (const drain of this.owned.values()) drain.reconnected();
  }

  /** Gives up all partitions, and says that this drain is gone. After `msMax` it leaves what is not done as it is. */
  async close(msMax: number): Promise<void> {
    this.isClosing = true;
    for (const drain of this.owned.values()) drain.release();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, msMax);
    });
    await Promise.race([this.giveAllUp(), timeUp]);
    clearTimeout(timer);
    for (const drain of this.owned.values()) drain.giveUp();
  }

  private async giveAllUp(): Promise<void> {
    await this.looking;
    for (const drain of this.owned.values()) drain.release();
    await Promise.all(this.all.map((drain) => drain.ended));
    await this.context.bucket.forget(this.ownBeat).catch(() => {});
  }

  private async look(): Promise<void> {
    while (!this.isClosing) {
      try {
        await this.lookOnce();
        this.seenAgain();
      } catch (error) {
        this.notSeen(error);
      }
      for (let waited = 0; waited < DRAIN_BEAT_MS && !this.isClosing; waited += LOOK_STEP_MS)
        await pause(LOOK_STEP_MS);
    }
  }

  /** An election takes some looks. */
  private notSeen(error: unknown): void {
    this.failures++;
    if (this.failures !== FAILURES_TOLD) return;
    this.context.log(
      "warn",
      "cannot see what the other drains do; partitions stay where they are until it can",
      { bucket: this.context.bucket.name, error: String(error) },
    );
  }

  private seenAgain(): void {
    if (this.failures >= FAILURES_TOLD) this.context.log("info", "sees the other drains again", {});
    this.failures = 0;
  }

  private async lookOnce(): Promise<void> {
    const { bucket, id } = this.context;
    this.ownBeat = await bucket.beat(id, { partitions: this.owned.size });
    const living = this.livingOf(await bucket.beats());
    const records = await this.readRecords();
    const owners = records.map((held, partition) => this.ownerOf(held, partition, living));
    const shares = { owners, living, me: id };
    const taken = toTake(shares).flatMap((partition) => {
      const held = records[partition];
      return held == null || this.owned.has(partition) ? [] : [this.take(partition, held)];
    });
    await Promise.all(taken);
    for (const drain of this.all.slice(this.owned.size - toGiveUp(shares))) drain.release();
  }

  private livingOf(beats: ReadonlyMap<string, number>): string[] {
    for (const drain of this.seen.keys()) if (!beats.has(drain)) this.seen.delete(drain);
    const living: string[] = [];
    for (const [drain, beat] of beats) {
      const before = this.seen.get(drain);
      const looks = before?.beat === beat ? before.looks + 1 : 1;
      this.seen.set(drain, { beat, looks });
      if (drain === this.context.id || looks <= DRAIN_SILENT_LOOKS) living.push(drain);
      else if (looks > DRAIN_FORGET_LOOKS) void this.context.bucket.forget(beat).catch(() => {});
    }
    return living;
  }

  /** Of each partition; null where its record cannot be read by this version. */
  private readRecords(): Promise<(HeldRecord | null)[]> {
    const partitions = Array.from({ length: this.partitions }, (_, partition) => partition);
    return Promise.all(partitions.map((partition) => this.readRecord(partition)));
  }

  private async readRecord(partition: number): Promise<HeldRecord | null> {
    const { bucket, log } = this.context;
    try {
      const drain = this.owned.get(partition);
      const revisionBefore = drain?.revision ?? 0;
      const held = await bucket.readRecord(partition);
      drain?.checkBehindWrite(held, revisionBefore);
      return held;
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      if (this.told.get(partition) !== error.message) log("error", error.message, { partition });
      this.told.set(partition, error.message);
      return null;
    }
  }

  /** What is ours by the record but not in hand is free: this drain was restarted, or has failed with it. */
  private ownerOf(held: HeldRecord | null, partition: number, living: readonly string[]): string | null {
    const { id } = this.context;
    if (this.owned.has(partition)) return id;
    if (held === null) return null;
    const { owner } = held.record;
    return owner !== id && living.includes(owner) ? owner : "";
  }

  private async take(partition: number, held: HeldRecord): Promise<void> {
    const { bucket, id, log } = this.context;
    const { record } = held;
    const next = { ...record, owner: id, epoch: record.epoch + 1, commit: randomBytes(8).toString("hex") };
    const found = await bucket.swap(partition, held, next, () => this.isClosing);
    if (found?.record.commit !== next.commit) return;
    log(
      "info",
      record.owner === "" || record.owner === id
        ? "drains a partition"
        : "takes a partition over from a drain that is silent",
      {
        partition,
        ...(record.owner === "" ? {} : { owner: record.owner }),
      },
    );
    const drain = new PartitionDrain(this.context, partition, found);
    this.owned.set(partition, drain);
    void drain.ended.then(() => this.owned.delete(partition));
  }
}

const LOOK_STEP_MS = 100;
const FAILURES_TOLD = 5;

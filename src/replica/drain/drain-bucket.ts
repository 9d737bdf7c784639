// The key-value bucket `<stream>_drains`, where the drains of a stream agree: a record for each partition, changed only by
// compare-and-set, and a beat for each drain that lives.
//
// A compare-and-set whose answer is lost may have happened or not. So every change carries a name of its own (`commit`), and
// where there was no clear yes the record itself is asked. Reads go to the leader of the bucket, not to whoever is nearest.
// The servers may lose a commit that they had taken. A record that was ours then and has gone back, or is gone, is brought
// forward by the next change, which always says all that we know.

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { TidemarkError } from "../../errors.ts";
import { retryMs } from "../../follow/backoff.ts";
import { DRAIN_REQUEST_MS_MAX, FOLLOW_RETRY_MS_MAX, FOLLOW_RETRY_MS_MIN } from "../../limits.ts";
import {
  bucketName,
  decodeRecord,
  encodeRecord,
  NO_RECORD,
  type PartitionRecord,
  partitionKey,
} from "./partition-record.ts";
import { pause } from "./pause.ts";

/** A record as it stood at a revision of its key; 0 for none yet. */
export interface HeldRecord {
  record: PartitionRecord;
  revision: number;
}

type Manager = Awaited<ReturnType<typeof jetstreamManager>>;

export class DrainBucket {
  readonly name: string;
  private readonly kv: KV;
  private readonly manager: Manager;

  constructor(name: string, kv: KV, manager: Manager) {
    this.name = name;
    this.kv = kv;
    this.manager = manager;
  }

  /** Makes it where it is not there, with as many replicas as the stream has. */
  static async open(connection: NatsConnection, stream: string, replicas: number): Promise<DrainBucket> {
    const options = { timeout: DRAIN_REQUEST_MS_MAX };
    const manager = await jetstreamManager(connection, { ...options, checkAPI: false });
    const name = bucketName(stream);
    const kv = await new Kvm(jetstream(connection, options)).create(name, {
      replicas,
      history: 1,
      allow_direct: false,
      description: `what the drains of ${stream} have stored`,
    });
    return new DrainBucket(name, kv, manager);
  }

  /** Throws TidemarkError where the record is of another version, and the client's errors. */
  async readRecord(partition: number): Promise<HeldRecord> {
    const entry = await this.kv.get(partitionKey(partition));
    if (entry === null) return { record: NO_RECORD, revision: 0 };
    if (entry.operation !== "PUT") return { record: NO_RECORD, revision: entry.revision };
    const record = decodeRecord(entry.string());
    if (record !== null) return { record, revision: entry.revision };
    throw new TidemarkError(
      `cannot drain partition ${partition} because ${this.name} holds a record of it that this version cannot read; try a newer tidemark`,
    );
  }

  /**
   * Changes `held`, or what it was before as the same owner's, to `next`, if nobody has changed it meanwhile. Gives what stands
   * there then: `next` by its `commit`, or what somebody else has put. Tries for as long as it takes to know; null where
   * `isGivenUp` ends that.
   */
  async swap(
    partition: number,
    held: HeldRecord,
    next: PartitionRecord,
    isGivenUp: () => boolean,
  ): Promise<HeldRecord | null> {
    let base = held.revision;
    for (let failures = 0; !isGivenUp(); failures++) {
      try {
        return { record: next, revision: await this.put(partition, base, encodeRecord(next)) };
      } catch (error) {
        if (/max_?payload/i.test(String(error))) throw recordTooLarge(this.name, partition, next);
        // refused, unanswered or unsent: the record tells which
      }
      const found = await this.readRecord(partition).catch(() => null);
      if (found !== null && (found.record.commit === next.commit || found.revision > base)) return found;
      if (found !== null && isBefore(found, held.record)) base = found.revision;
      await pause(retryMs(failures, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX / 5, Math.random));
    }
    return null;
  }

  private put(partition: number, revision: number, text: string): Promise<number> {
    const key = partitionKey(partition);
    return revision === 0
      ? this.kv.create(key, text)
      : this.kv.update(key, text, revision, DRAIN_REQUEST_MS_MAX);
  }

  /** Says that the drain lives; the number tells this beat from those before. */
  beat(drain: string, value: Readonly<Record<string, unknown>>): Promise<number> {
    return this.kv.put(`drain.${drain}`, JSON.stringify(value));
  }

  /** The drains that have a beat, each with the number of its last one. */
  async beats(): Promise<Map<string, number>> {
    const prefix = `$KV.${this.name}.drain.`;
    const { state } = await this.manager.streams.info(`KV_${this.name}`, { subjects_filter: `${prefix}*` });
    const drains = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
    const entries = await Promise.all(drains.map((drain) => this.kv.get(`drain.${drain}`)));
    const beats = new Map<string, number>();
    for (const [index, entry] of entries.entries())
      if (entry !== null) beats.set(drains[index]!, entry.revision);
    return beats;
  }

  /** Takes that very beat away, and with it the drain's key; one that has come since stays. */
  async forget(beat: number): Promise<void> {
    await this.manager.streams.deleteMessage(`KV_${this.name}`, beat, false);
  }
}

/** Whether nobody else can have had the partition between the two. */
function isBefore({ record, revision }: HeldRecord, later: PartitionRecord): boolean {
  return revision === 0 || (record.owner === later.owner && record.epoch === later.epoch);
}

function recordTooLarge(bucket: string, partition: number, record: PartitionRecord): TidemarkError {
  const bytes = encodeRecord(record).length;
  return new TidemarkError(
    `cannot commit partition ${partition} because its record in ${bucket} has ${bytes} bytes, and the NATS servers take less in a message; raise max_payload there`,
  );
}

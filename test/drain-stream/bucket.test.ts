// The drains' bucket, where the answer of a compare-and-set gets lost: what happened has to be found out, and only that counts.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { DrainBucket } from "../../src/replica/drain/drain-bucket.ts";
import { NO_RECORD, type PartitionRecord } from "../../src/replica/drain/partition-record.ts";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";

const NEVER = () => false;
let partition = 0;

describe("a change of a record", { skip: natsServerMissing, timeout: 60_000 }, () => {
  let connection: NatsConnection;
  let bucket: DrainBucket;
  let kv: KV;
  before(async () => {
    connection = await connect({ servers: (await startNatsServer()).url });
    bucket = await DrainBucket.open(connection, "lines", 1);
    kv = await new Kvm(jetstream(connection)).open("lines_drains");
  });
  after(async () => {
    await connection.close();
    await stopNatsServers();
  });

  const record = (owner: string, commit: string, stored = 0): PartitionRecord => ({
    ...NO_RECORD,
    owner,
    commit,
    stores: { me: stored },
  });

  /** The bucket over the same server, with `then` done around each change that it sends. */
  async function faulty(then: (send: () => Promise<number>) => Promise<number>): Promise<DrainBucket> {
    const changed: Pick<KV, "create" | "update" | "get"> = {
      create: (key, text) => then(() => kv.create(key, text)),
      update: (key, text, revision) => then(() => kv.update(key, text, revision)),
      get: (key) => kv.get(key),
    };
    return new DrainBucket("lines_drains", changed as KV, await jetstreamManager(connection));
  }

  test("is made where nobody has changed it meanwhile", async () => {
    const at = partition++;
    const first = await bucket.swap(at, await bucket.readRecord(at), record("me", "a"), NEVER);
    const second = await bucket.swap(at, first!, record("me", "b"), NEVER);
    assert.equal(second!.record.commit, "b");
    assert.deepEqual(await bucket.readRecord(at), second);
  });

  test("is not made over another's, which is what comes back", async () => {
    const at = partition++;
    const nothing = await bucket.readRecord(at);
    await bucket.swap(at, nothing, record("other", "theirs"), NEVER);
    const found = await bucket.swap(at, nothing, record("me", "mine"), NEVER);
    assert.equal(found!.record.commit, "theirs");
  });

  test("whose answer is lost counts as made, and is made once", async () => {
    const at = partition++;
    let sent = 0;
    const deaf = await faulty(async (send) => {
      sent++;
      await send();
      throw new Error("timeout");
    });
    const found = await deaf.swap(at, await bucket.readRecord(at), record("me", "lost", 7), NEVER);
    assert.equal(found!.record.commit, "lost");
    assert.equal(sent, 1);
    assert.deepEqual(await bucket.readRecord(at), found);
  });

  test("that never arrives is sent again", async () => {
    const at = partition++;
    let sent = 0;
    const mute = await faulty(async (send) => {
      if (++sent < 3) throw new Error("timeout");
      return await send();
    });
    const found = await mute.swap(at, await bucket.readRecord(at), record("me", "third"), NEVER);
    assert.equal(found!.record.commit, "third");
    assert.equal(sent, 3);
  });

  test("whose answer is lost while another changes it on top shows what of ours is in there", async () => {
    const at = partition++;
    const slow = await faulty(async (send) => {
      const revision = await send();
      const ours = { record: record("me", "ours", 7), revision };
      await bucket.swap(at, ours, { ...ours.record, owner: "other", commit: "on top" }, NEVER);
      throw new Error("timeout");
    });
    const found = await slow.swap(at, await bucket.readRecord(at), record("me", "ours", 7), NEVER);
    assert.equal(found!.record.commit, "on top");
    assert.equal(found!.record.stores.me, 7);
  });

  test("is given up where nobody waits for it any more", async () => {
    const at = partition++;
    let sent = 0;
    const mute = await faulty(() => Promise.reject(new Error(`timeout ${++sent}`)));
    assert.equal(await mute.swap(at, await bucket.readRecord(at), record("me", "a"), () => sent > 1), null);
  });

  test("of a record that a later version has written is refused", async () => {
    const at = partition++;
    await kv.put(`partition.${at}`, '{"version":2}');
    await assert.rejects(bucket.readRecord(at), /that this version cannot read; try a newer tidemark/);
  });

  test("tells living drains apart by their beats, and forgets a beat that is old", async () => {
    const first = await bucket.beat("a", {});
    await bucket.beat("b", {});
    const second = await bucket.beat("a", {});
    assert.deepEqual([...(await bucket.beats()).keys()].sort(), ["a", "b"]);
    assert.equal((await bucket.beats()).get("a"), second);
    await assert.rejects(bucket.forget(first), "it is not there any more");
    await bucket.forget(second);
    assert.deepEqual([...(await bucket.beats()).keys()], ["b"]);
  });
});

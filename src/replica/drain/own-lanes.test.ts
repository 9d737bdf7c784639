import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { realFiles } from "../../log/files.ts";
import { DrainBucket } from "./drain-bucket.ts";
import type { DrainContext } from "./drain-context.ts";
import { cutOwnLanes } from "./own-lanes.ts";
import { encodeRecord, NO_RECORD } from "./partition-record.ts";

const LINE = '{"ts":1,"name":"a","value":1,"type":"gauge","tags":{},"client":"c"}\n';
const NEVER = () => false;

describe("the lanes that a start finds", () => {
  let folder: string;
  let segment: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
    mkdirSync(join(folder, "lane-0"));
    segment = join(folder, "lane-0", `${"0".repeat(16)}.jsonl`);
    writeFileSync(segment, LINE.repeat(3));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A NATS server, as a drain called "me" meets it: what it says of the partition, and of a write. */
  function context(get: () => Promise<unknown>, put: () => Promise<number>): DrainContext {
    const kv: Pick<KV, "get" | "put"> = { get: get as KV["get"], put };
    const manager = {} as Awaited<ReturnType<typeof jetstreamManager>>;
    const made: Partial<DrainContext> = {
      id: "me",
      dataFolder: folder,
      files: realFiles,
      bucket: new DrainBucket("lines_drains", kv as KV, manager),
      log() {},
      onLaneEvent() {},
    };
    return made as DrainContext;
  }

  const committed = (lines: number) => ({
    operation: "PUT",
    revision: 1,
    string: () => encodeRecord({ ...NO_RECORD, owner: "other", stores: { me: lines } }),
  });

  test("are cut to what is committed", async () => {
    await cutOwnLanes(
      context(
        async () => committed(2),
        async () => 1,
      ),
      NEVER,
    );
    assert.equal(readFileSync(segment, "utf8"), LINE.repeat(2));
  });

  test("wait for NATS where it is in the middle of an election", async () => {
    let asked = 0;
    const get = async (): Promise<unknown> => {
      if (++asked < 3) throw new Error("JetStream system temporarily unavailable");
      return committed(2);
    };
    await cutOwnLanes(
      context(get, async () => 1),
      NEVER,
    );
    assert.equal(readFileSync(segment, "utf8"), LINE.repeat(2));
  });

  test("are not cut to what a server says that takes no writes: it may be cut off, and behind the others", async () => {
    let written = 0;
    const put = async (): Promise<number> => {
      if (++written < 3) throw new Error("timeout");
      return written;
    };
    await cutOwnLanes(
      context(async () => committed(written < 3 ? 1 : 3), put),
      NEVER,
    );
    assert.equal(readFileSync(segment, "utf8"), LINE.repeat(3));
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  blockSubject,
  partitionOf,
  partitionSubject,
  partitionsOf,
  type StreamSettings,
  streamConfig,
  streamDifferences,
} from "./stream-settings.ts";

const settings: StreamSettings = {
  stream: "lines",
  replicas: 3,
  partitions: 4,
  bytesMax: 1_048_576,
  ageMsMax: 60_000,
};
/** What a server says of a stream that was made so. */
const asFound = (changed: Record<string, unknown> = {}) => ({ ...streamConfig(settings), ...changed });

describe("a stream that is there", () => {
  test("has no differences where it was made with these settings, whatever else a server says of it", () => {
    assert.deepEqual(streamDifferences(streamConfig(settings), asFound({ max_msgs: -1, sealed: false })), []);
    const unlimited = streamConfig({ ...settings, bytesMax: 0, ageMsMax: 0 });
    assert.deepEqual(streamDifferences(unlimited, { ...unlimited, max_age: 0 }), []);
    assert.deepEqual(streamDifferences(unlimited, { ...unlimited, max_age: undefined }), []);
  });

  const different: Record<string, [found: Record<string, unknown>, said: string]> = {
    "fewer replicas": [{ num_replicas: 1 }, "replicas 1 instead of 3"],
    "other retention": [{ retention: "limits" }, "retention limits instead of workqueue"],
    "a rule to drop what is old": [{ discard: "old" }, "discard old instead of new"],
    "memory for a store": [{ storage: "memory" }, "storage memory instead of file"],
    "fewer partitions": [{ subjects: ["lines.0.>", "lines.1.>"] }, "partitions 2 instead of 4"],
    "subjects of its own": [{ subjects: ["lines.>"] }, "partitions 0 instead of 4"],
    "no subjects": [{ subjects: undefined }, "partitions 0 instead of 4"],
    "no limit of bytes": [{ max_bytes: -1 }, "size off instead of 1048576B"],
    "another age": [{ max_age: 3_600_000_000_000 }, "age 3600000ms instead of 60000ms"],
  };
  for (const [what, [found, said]] of Object.entries(different)) {
    test(`with ${what} is told as the settings would be written`, () => {
      assert.deepEqual(streamDifferences(streamConfig(settings), asFound(found)), [said]);
    });
  }
});

describe("partitions", () => {
  test("are counted off a stream's subjects, in any order, where they are exactly ours", () => {
    const { subjects } = streamConfig(settings);
    assert.equal(partitionsOf("lines", subjects), 4);
    assert.equal(partitionsOf("lines", subjects.toReversed()), 4);
    for (const none of [["lines.0.>", "lines.2.>"], ["other.0.>"], ["lines.0.*"], "lines.0.>", null])
      assert.equal(partitionsOf("lines", none), 0);
  });

  test("take a lane for good: another version may not send it elsewhere", () => {
    assert.equal(partitionOf("web-1", 0, 16), 9);
    assert.equal(partitionOf("web-1", 1, 16), 6);
    assert.equal(partitionOf("db_2", 7, 256), 185);
  });

  test("are in range and used evenly", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(255), fc.integer({ min: 1, max: 256 }), (node, lane, partitions) => {
        const partition = partitionOf(node.toWellFormed(), lane, partitions);
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      }),
    );
    const lanes = Array(16).fill(0);
    for (let node = 0; node < 200; node++)
      for (let lane = 0; lane < 4; lane++) lanes[partitionOf(`web-${node}`, lane, 16)]++;
    assert.ok(Math.min(...lanes) > 25 && Math.max(...lanes) < 80, `${lanes}`);
  });

  test("have subjects that take every lane's, and no other partition's", () => {
    assert.equal(partitionSubject("lines", 3), "lines.3.>");
    assert.equal(blockSubject("lines", 3, "web-1", 0), "lines.3.web-1.0");
  });
});

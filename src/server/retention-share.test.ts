import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { retentionShare } from "./retention-share.ts";

describe("a lane's share of --retention-size", () => {
  test("is everything while all lanes together are within it, or where nothing is to be deleted", () => {
    assert.equal(retentionShare(1000, 600, 1000), 0);
    assert.equal(retentionShare(0, 600, 5000), 0);
  });

  test("follows the lane's share of the bytes, and all shares come to the size", () => {
    const lanes = [6000, 3000, 1000];
    const shares = lanes.map((bytes) => retentionShare(5000, bytes, 10_000));
    assert.deepEqual(shares, [3000, 1500, 500]);
  });

  test("is never nothing, which would read as no limit", () => {
    assert.equal(retentionShare(10, 0, 1000), 1);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allocateConnectionSlots, ConnectionSlots } from "./connection-slots.layout.ts";

describe("connection slots", () => {
  test("are one cap for all threads, whichever takes them", () => {
    const shared = allocateConnectionSlots(3);
    const threads = [0, 1, 2].map((thread) => new ConnectionSlots(shared, thread, 5));
    const taken = [0, 0, 0, 0, 1, 2, 1].map((thread) => threads[thread]!.tryTake());
    assert.deepEqual(taken, [true, true, true, true, true, false, false]);
    threads[0]!.give();
    assert.equal(threads[2]!.tryTake(), true);
    assert.equal(threads[0]!.tryTake(), false);
  });

  test("of a thread that died are free again once it is replaced", () => {
    const shared = allocateConnectionSlots(2);
    const survivor = new ConnectionSlots(shared, 0, 2);
    const dead = new ConnectionSlots(shared, 1, 2);
    assert.equal(survivor.tryTake() && dead.tryTake(), true);
    assert.equal(survivor.tryTake(), false);
    const replacement = new ConnectionSlots(shared, 1, 2);
    assert.equal(survivor.tryTake(), true);
    assert.equal(replacement.tryTake(), false);
  });
});

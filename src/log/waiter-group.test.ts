import assert from "node:assert/strict";
import { test } from "node:test";
import { type LaneHandler, STORED, WaiterGroup } from "./waiter-group.ts";

const heard: [string | null, number, number, number][] = [];
const handler: LaneHandler<string> = {
  settled: (waiters, tags, levels, count, refusal) => {
    for (let at = 0; at < count; at++) heard.push([waiters[at]!, tags[at]!, levels[at]!, refusal]);
  },
};

test("a settled group forgets its waiters, so that nothing keeps them alive", () => {
  const group = new WaiterGroup<string>();
  group.add("a", 1, 2);
  group.add(null, 3, 1);
  group.settle(handler, STORED);
  assert.deepEqual(heard.splice(0), [
    ["a", 1, 2, STORED],
    [null, 3, 1, STORED],
  ]);
  assert.equal(group.count, 0);
  assert.equal(group.waiters[0], null);
});

test("a moved group stands behind those that were there, and leaves nothing", () => {
  const first = new WaiterGroup<string>();
  const second = new WaiterGroup<string>();
  first.add("a", 1, 2);
  second.add("b", 2, 3);
  second.moveTo(first);
  assert.equal(second.count, 0);
  assert.equal(second.waiters[0], null);
  first.settle(handler, 5);
  second.settle(handler, 5);
  assert.deepEqual(heard.splice(0), [
    ["a", 1, 2, 5],
    ["b", 2, 3, 5],
  ]);
});

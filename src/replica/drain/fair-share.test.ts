import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toGiveUp, toTake } from "./fair-share.ts";

/** Rounds in which all drains look at the same state, one after another, until nobody moves. */
function settle(owners: string[], living: string[]): { owners: string[]; rounds: number } {
  for (let rounds = 0; rounds < 100; rounds++) {
    const before = [...owners];
    for (const me of living) {
      for (const partition of toTake({ owners, living, me })) owners[partition] = me;
      let left = toGiveUp({ owners, living, me });
      for (let partition = 0; left > 0; partition++)
        if (owners[partition] === me) {
          owners[partition] = "";
          left--;
        }
    }
    if (owners.every((owner, at) => owner === before[at])) return { owners, rounds };
  }
  return { owners, rounds: 100 };
}

describe("a fair share", () => {
  test("is reached from any state, by every drain, and then nothing moves", () => {
    const drains = ["a", "b", "c", "d", "e"];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("", "dead", ...drains), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        (owners, count) => {
          const living = drains.slice(0, count);
          const settled = settle([...owners], living);
          assert.ok(settled.rounds < 100, "it comes to rest");
          for (const drain of living) {
            const share = settled.owners.filter((owner) => owner === drain).length;
            assert.ok(
              share >= Math.floor(owners.length / count) && share <= Math.ceil(owners.length / count),
              `${settled.owners}`,
            );
          }
        },
      ),
    );
  });

  test("of one drain is everything", () => {
    assert.deepEqual(toTake({ owners: ["", "dead", ""], living: ["a"], me: "a" }).sort(), [0, 1, 2]);
  });

  test("of a drain that comes later is given up by the others first", () => {
    const shares = { owners: ["a", "a", "a", "a"], living: ["a", "b"] };
    assert.deepEqual(toTake({ ...shares, me: "b" }), []);
    assert.equal(toGiveUp({ ...shares, me: "a" }), 2);
  });

  test("is nothing where there are more drains than partitions", () => {
    assert.deepEqual(toTake({ owners: ["a"], living: ["a", "b"], me: "b" }), []);
    assert.equal(toGiveUp({ owners: ["a"], living: ["a", "b"], me: "a" }), 0);
  });
});

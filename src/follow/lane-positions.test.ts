// What one thread says is done, and another sees while it is being said. The model takes every store of the one and every load
// of the other apart, and asks that nothing is ever taken for done before it is.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LaneCursor } from "./lane-cursor.ts";
import { allocatePositions, LanePositions } from "./lane-positions.layout.ts";

type Step = { kind: "commit" | "fresh" | "jump" | "late" | "heir"; by: number };
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("commit", "commit", "fresh", "jump", "late", "heir"),
  by: fc.integer({ min: 1, max: 9 }),
});

/** One store of the follower's, and how many lines were done when it was made. */
interface Store {
  at: number;
  value: number;
}

interface History {
  stores: Store[];
  /** By line: before which store it was done. */
  doneAt: Map<number, number>;
  /** The ends of commits: what isDone is asked of. */
  ends: number[];
}

function numbersOf(positions: LanePositions): { numbers: Float64Array } {
  return positions as unknown as { numbers: Float64Array };
}

/** What a follower stores over some steps; an heir begins again at a cursor that was stored before. */
function follow(steps: readonly Step[]): History {
  const history: History = { stores: [], doneAt: new Map(), ends: [0] };
  const positions = new LanePositions(allocatePositions(1), 0);
  const { numbers } = numbersOf(positions);
  numbersOf(positions).numbers = new Proxy(numbers, {
    get: (target, at) => target[Number(at)],
    set(target, at, value: number) {
      history.stores.push({ at: Number(at), value });
      target[Number(at)] = value;
      return true;
    },
  });
  const done = (from: number, to: number): void => {
    for (let line = from; line < to; line++)
      if (!history.doneAt.has(line)) history.doneAt.set(line, history.stores.length);
  };
  let cursor = new LaneCursor();
  const stored = [new LaneCursor()];
  for (const { kind, by } of steps) {
    const end = history.ends.at(-1)!;
    const oldest = cursor.late[0];
    if (kind === "commit") history.ends.push(end + by);
    else if (kind === "fresh" && cursor.fresh < end) {
      const to = Math.min(cursor.fresh + by, end);
      done(cursor.fresh, to);
      cursor.fresh = to;
    } else if (kind === "jump" && cursor.fresh < end) cursor.tryJump(end);
    else if (kind === "late" && oldest !== undefined) {
      const to = Math.min(oldest.from + by, oldest.to);
      done(oldest.from, to);
      cursor.doneLate(to);
    } else if (kind === "heir") {
      const { fresh, late } = stored[by % stored.length]!;
      cursor = new LaneCursor(fresh, late);
    } else continue;
    if (kind === "commit") continue;
    stored.push(new LaneCursor(cursor.fresh, cursor.late));
    positions.setDone(cursor.needed, cursor.freshFrom, cursor.fresh);
  }
  return history;
}

/** What isDone(end) says when its loads lie at these times; each sees the stores before it. */
function seen(history: History, end: number, times: readonly number[]): boolean {
  const positions = new LanePositions(allocatePositions(1), 0);
  const numbers = new Float64Array(4);
  let at = 0;
  let loads = 0;
  numbersOf(positions).numbers = new Proxy(numbers, {
    get(target, index) {
      const time = times[Math.min(loads++, times.length - 1)]!;
      for (; at < time; at++) target[history.stores[at]!.at] = history.stores[at]!.value;
      return target[Number(index)];
    },
  });
  return positions.isDone(end);
}

describe("positions of a lane", () => {
  test("never say of a commit that it is done before all its lines are, however loads and stores fall", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
        (steps, moments) => {
          const history = follow(steps);
          const times = moments.map((moment) => moment % (history.stores.length + 1)).sort((a, b) => a - b);
          for (let commit = 1; commit < history.ends.length; commit++) {
            if (!seen(history, history.ends[commit]!, times)) continue;
            for (let line = history.ends[commit - 1]!; line < history.ends[commit]!; line++) {
              const doneAt = history.doneAt.get(line) ?? Number.POSITIVE_INFINITY;
              assert.ok(doneAt <= times.at(-1)!, `line ${line} was taken for done`);
            }
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("say it of every commit that is done, once the follower has stored that", () => {
    const positions = new LanePositions(allocatePositions(1), 0);
    const cursor = new LaneCursor();
    const tell = () => positions.setDone(cursor.needed, cursor.freshFrom, cursor.fresh);
    cursor.fresh = 100;
    tell();
    assert.deepEqual([positions.isDone(100), positions.isDone(101)], [true, false]);
    cursor.tryJump(500);
    tell();
    assert.deepEqual([positions.isDone(100), positions.isDone(500)], [true, false]);
    cursor.fresh = 600;
    tell();
    assert.deepEqual(
      [positions.isDone(500), positions.isDone(501), positions.isDone(600)],
      [false, true, true],
    );
    cursor.doneLate(500);
    tell();
    assert.deepEqual(
      [positions.isDone(300), positions.isDone(600), positions.isDone(601)],
      [true, true, false],
    );
  });

  test("lanes have regions of their own in one memory", () => {
    const shared = allocatePositions(3);
    const lanes = [0, 1, 2].map((lane) => new LanePositions(shared, lane));
    lanes[1]!.setEnd(7);
    lanes[1]!.setFlowing(true);
    lanes[1]!.setDone(5, 0, 5);
    assert.deepEqual(
      lanes.map((lane) => [lane.end, lane.isFlowing, lane.isDone(5), lane.ringsByFollower()]),
      [
        [0, false, false, 0],
        [7, true, true, 1],
        [0, false, false, 0],
      ],
    );
    assert.equal(shared.byteLength, 3 * LanePositions.bytes);
  });

  test("a ring wakes who waits, also where it came before the wait began", async () => {
    const shared = allocatePositions(1);
    const [follower, lane] = [new LanePositions(shared, 0), new LanePositions(shared, 0)];
    const seenByFollower = follower.ringsByLane();
    const waiting = follower.untilRungByLane(seenByFollower, 60_000);
    lane.ringFollower();
    await waiting;
    await follower.untilRungByLane(seenByFollower, 60_000);
    const seenByLane = lane.ringsByFollower();
    follower.setDone(1, 0, 1);
    await lane.untilRungByFollower(seenByLane, 60_000);
  });
});

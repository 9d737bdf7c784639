// Who waits for the stream and who does not, and in which order they are answered. The clock is set by hand.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { REFUSAL } from "../errors.ts";
import { allocatePositions, LanePositions } from "../follow/lane-positions.layout.ts";
import { REPLICATED_MS_MAX } from "../limits.ts";
import { ACK_ACCEPTED, ACK_REPLICATED, ACK_SYNCED, ACK_WRITTEN } from "../log/files.ts";
import { until } from "../log/lane-bed.ts";
import { STORED } from "../log/waiter-group.ts";
import { ReplicaGate } from "./replica-gate.ts";

class Bed {
  readonly positions = new LanePositions(allocatePositions(1), 0);
  nowMs = 1_000;
  /** "waiter level outcome", in the order of their answers. */
  readonly answered: string[] = [];
  readonly gate: ReplicaGate<string>;

  constructor() {
    const behind = {
      settled: (
        waiters: readonly (string | null)[],
        tags: readonly number[],
        levels: readonly number[],
        count: number,
        refusal: number,
      ) => {
        for (let at = 0; at < count; at++)
          this.answered.push(`${waiters[at]} ${tags[at]} ${levels[at]} ${refusal}`);
      },
    };
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    this.gate = new ReplicaGate<string>(behind, this.positions, clock);
  }

  /** A commit whose lines end at `end`, with a batch of each of these. */
  settle(
    end: number,
    batches: readonly (readonly [string | null, number])[],
    refusal: number = STORED,
  ): void {
    this.positions.setEnd(end);
    this.gate.settled(
      batches.map(([waiter]) => waiter),
      batches.map((_, at) => at + 1),
      batches.map(([, level]) => level),
      batches.length,
      refusal,
    );
  }

  done(end: number): void {
    this.positions.setDone(end, 0, end);
  }

  async until(answers: number): Promise<void> {
    await until(() => this.answered.length >= answers, `${answers} are answered`);
  }
}

/** A gate that holds something looks at its clock; the last of each test lets go of everything. */
let bed = new Bed();
afterEach(async () => {
  bed.nowMs += 2 * REPLICATED_MS_MAX;
  bed.done(Number.MAX_SAFE_INTEGER);
  bed = new Bed();
});

describe("the gate of answers that wait for the stream", () => {
  test("lets every other level through in the same call, also beside one that waits", async () => {
    bed.settle(3, [
      [null, ACK_ACCEPTED],
      ["written", ACK_WRITTEN],
      ["waits", ACK_REPLICATED],
      ["synced", ACK_SYNCED],
    ]);
    assert.deepEqual(bed.answered, [
      `null 1 ${ACK_ACCEPTED} ${STORED}`,
      `written 2 ${ACK_WRITTEN} ${STORED}`,
      `synced 4 ${ACK_SYNCED} ${STORED}`,
    ]);
    bed.done(3);
    await bed.until(4);
    assert.equal(bed.answered[3], `waits 3 ${ACK_REPLICATED} ${STORED}`);
  });

  test("lets a refusal of the disk through at once, whatever was asked for", () => {
    bed.settle(3, [["waits", ACK_REPLICATED]], REFUSAL.disk_full);
    assert.deepEqual(bed.answered, [`waits 1 ${ACK_REPLICATED} ${REFUSAL.disk_full}`]);
  });

  test("holds each commit until its own lines are done, in the order of their coming", async () => {
    bed.settle(10, [["first", ACK_REPLICATED]]);
    bed.settle(20, [["second", ACK_REPLICATED]]);
    bed.settle(30, [["third", ACK_REPLICATED]]);
    bed.done(9);
    bed.done(20);
    await bed.until(2);
    assert.deepEqual(
      bed.answered.map((answer) => answer.split(" ")[0]),
      ["first", "second"],
    );
    bed.done(30);
    await bed.until(3);
  });

  test("answers what is fresh though what the follower left for later still waits", async () => {
    bed.settle(10, [["old", ACK_REPLICATED]]);
    bed.settle(20, [["fresh", ACK_REPLICATED]]);
    bed.positions.setDone(0, 10, 20);
    await bed.until(1);
    assert.match(bed.answered[0]!, /^fresh /);
    bed.positions.setDone(20, 0, 20);
    await bed.until(2);
    assert.match(bed.answered[1]!, new RegExp(`^old .* ${STORED}$`));
  });

  test("answers that it cannot say where the stream has not acknowledged in time, and no earlier", async () => {
    bed.settle(10, [["first", ACK_REPLICATED]]);
    bed.nowMs += 1;
    bed.settle(20, [["second", ACK_REPLICATED]]);
    bed.nowMs += REPLICATED_MS_MAX - 1;
    await bed.until(1);
    assert.deepEqual(bed.answered, [`first 1 ${ACK_REPLICATED} ${REFUSAL.replica_timeout}`]);
    bed.nowMs += 1;
    await bed.until(2);
    assert.match(bed.answered[1]!, new RegExp(`^second .* ${REFUSAL.replica_timeout}$`));
  });

  test("answers nobody twice where the acknowledgement comes after the refusal", async () => {
    bed.settle(10, [["late", ACK_REPLICATED]]);
    bed.nowMs += REPLICATED_MS_MAX;
    await bed.until(1);
    bed.settle(20, [["next", ACK_REPLICATED]]);
    bed.done(20);
    await bed.until(2);
    assert.deepEqual(
      bed.answered.map((answer) => answer.split(" ")[0]),
      ["late", "next"],
    );
  });

  test("tells the follower that somebody waits", () => {
    const before = bed.positions.ringsByLane();
    bed.settle(5, [["written", ACK_WRITTEN]]);
    assert.equal(bed.positions.ringsByLane(), before);
    bed.settle(10, [["waits", ACK_REPLICATED]]);
    assert.equal(bed.positions.ringsByLane(), before + 1);
  });

  test("what is done already when it comes is not held", async () => {
    bed.done(10);
    bed.settle(10, [["done", ACK_REPLICATED]]);
    await bed.until(1);
  });
});

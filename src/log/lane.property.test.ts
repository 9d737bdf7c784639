import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ACK_ACCEPTED, ACK_SYNCED, ACK_WRITTEN } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { segmentPath } from "./segment-name.ts";
import { STORED } from "./waiter-group.ts";

// Random batches, faults, rotations and restarts against the simplest model there is: the list of batches that were
// answered well must be in the files, each once, in order; a batch refused by a write error must not be there.

const level = fc.constantFrom(ACK_ACCEPTED, ACK_WRITTEN, ACK_SYNCED);
const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      bytes: fc.integer({ min: 40, max: 3000 }),
      level,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("turn" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("short" as const), bytes: fc.integer({ min: 1, max: 500 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fault" as const),
      code: fc.constantFrom("ENOSPC", "EIO", "EFBIG"),
      bytes: fc.nat({ max: 500 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sync fault" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("well" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("later" as const), ms: fc.integer({ min: 1, max: 400 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("restart" as const), torn: fc.string({ maxLength: 30 }) }),
  },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly bed = new LaneBed();
  readonly batches = new Map<string, string>();
  private syncFails = false;

  open(): void {
    this.bed.open({
      bufferBytes: 8192,
      directBytesMin: 4096,
      segmentBytesMax: 20_000,
      segmentAgeMsMax: 1000,
      syncIntervalMs: 1,
    });
    this.bed.files.onSync = () => (this.syncFails ? "EIO" : null);
  }

  async do(operation: Operation): Promise<void> {
    const { bed } = this;
    if (operation.kind === "append") {
      const name = `b${this.batches.size}`;
      const text = bed.line(operation.bytes);
      // a null waiter cannot be told from another, so accepted batches are checked only for being whole
      if (bed.append(text, operation.level, name) === STORED && operation.level !== ACK_ACCEPTED)
        this.batches.set(name, text);
    } else if (operation.kind === "turn") {
      await new Promise((resolve) => setImmediate(resolve));
    } else if (operation.kind === "short") {
      bed.files.onWrite = (_position, length) => ({ bytes: Math.min(length, operation.bytes) });
    } else if (operation.kind === "fault") {
      bed.files.onWrite = (_position, length) => ({
        bytes: Math.min(length, operation.bytes),
        code: operation.code,
      });
    } else if (operation.kind === "sync fault") {
      this.syncFails = true;
    } else if (operation.kind === "well") {
      this.well();
    } else if (operation.kind === "later") {
      bed.nowMs += operation.ms;
    } else {
      await bed.close();
      this.well();
      const last = bed.segments().at(-1);
      if (last !== undefined) appendFileSync(segmentPath(bed.directory, last), operation.torn);
      this.open();
    }
  }

  well(): void {
    this.bed.files.onWrite = () => null;
    this.syncFails = false;
  }

  async end(): Promise<void> {
    this.well();
    await this.bed.close();
    const { bed } = this;
    await until(
      () => bed.settled.filter((s) => s.waiter !== null).length === this.batches.size,
      "all are settled",
    );
    bed.open();
    assert.equal(existsSync(bed.directory), true);
    const text = bed.allText();
    const syncFailed = bed.events.some((event) => event.kind === "sync_failed");
    let position = -1;
    for (const [name, line] of this.batches) {
      const settlements = bed.settled.filter((settlement) => settlement.waiter === name);
      assert.equal(settlements.length, 1, `${name} is settled once`);
      const at = text.indexOf(line);
      if (settlements[0]!.refusal === STORED) {
        assert.ok(at > position, `${name} is stored, behind those before it`);
        position = at;
      } else if (!syncFailed) {
        assert.equal(at, -1, `${name} was refused and is not stored`);
      }
    }
    for (const line of text.split("\n")) if (line !== "") JSON.parse(line);
    assert.equal(new Set(text.split("\n")).size, text.split("\n").length, "no line is there twice");
    for (const kind of [ACK_WRITTEN, ACK_SYNCED]) {
      const order = bed.settled.filter((s) => s.level === kind).map((s) => Number(s.waiter!.slice(1)));
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
        "answers of one level keep their order",
      );
    }
    await bed.close();
  }
}

test("whatever happens, what was answered well is stored once and in order, and answers keep their order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), async (operations) => {
      const run = new Run();
      try {
        run.open();
        for (const operation of operations) await run.do(operation);
        await run.end();
      } finally {
        run.bed.remove();
      }
    }),
    { numRuns: 100 },
  );
});

// Following a lane that is a real file, with a clock that is set by hand and a sink that fails, is slow or lets everything go.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FOLLOW_BLOCK_BYTES_MAX, FOLLOW_FRESH_MS_MAX, FOLLOW_JUMP_LINES_MIN } from "../limits.ts";
import { fileError } from "../log/faulty-files.ts";
import { type LogFiles, realFiles } from "../log/files.ts";
import { until } from "../log/lane-bed.ts";
import { segmentPath } from "../log/segment-name.ts";
import type { BlockSink } from "./blocks-ahead.ts";
import { LaneCursor } from "./lane-cursor.ts";
import { LaneFollower } from "./lane-follower.ts";
import type { LaneBlock } from "./lane-reader.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-follower-"));
after(() => rmSync(root, { recursive: true, force: true }));

interface Sent {
  from: number;
  end: number;
  text: string;
}

class Bed implements BlockSink {
  readonly directory = mkdtempSync(join(root, "lane-"));
  readonly cursor: LaneCursor;
  readonly follower: LaneFollower;
  nowMs = 1_000;
  end = 0;
  /** In the order of their sending; those under way, and those that are for good. */
  readonly begun: Sent[] = [];
  readonly taken: Sent[] = [];
  /** While it holds, what is sent waits here. */
  holds = false;
  readonly held: { sent: Sent; finish(error?: Error): void }[] = [];
  /** How many of the next sends fail. */
  failures = 0;
  readonly errors: unknown[] = [];
  moves = 0;
  openFails = false;
  private wake: () => void = () => {};
  private running: Promise<void> | null = null;
  private isClosed = false;

  constructor(cursor = new LaneCursor()) {
    this.cursor = cursor;
    const files: LogFiles = {
      ...realFiles,
      openRead: (path) => {
        if (this.openFails) throw fileError("EIO");
        return realFiles.openRead(path);
      },
    };
    writeFileSync(segmentPath(this.directory, 0), "");
    this.follower = new LaneFollower({
      files,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      directory: this.directory,
      cursor,
      sink: this,
      readEnd: () => this.end,
      untilMore: () =>
        new Promise((resolve) => {
          if (this.isClosed) resolve();
          this.wake = resolve;
        }),
      onMoved: () => this.moves++,
      onError: (error) => this.errors.push(error),
    });
  }

  run(): void {
    this.running = this.follower.run();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.follower.close();
    this.wake();
    await this.running;
  }

  add(lines: number): void {
    let text = "";
    for (let at = 0; at < lines; at++) text += lineOf(this.end + at);
    appendFileSync(segmentPath(this.directory, 0), text);
    this.end += lines;
    this.wake();
  }

  prepare(block: LaneBlock): () => Promise<void> {
    const sent = { from: block.from, end: block.end, text: Buffer.from(block.bytes).toString() };
    return async () => {
      this.begun.push(sent);
      if (this.failures > 0) {
        this.failures--;
        throw new Error("the sink cannot now");
      }
      if (this.holds)
        await new Promise<void>((resolve, reject) => {
          this.held.push({ sent, finish: (error) => (error === undefined ? resolve() : reject(error)) });
        });
      this.taken.push(sent);
    };
  }

  release(): void {
    this.holds = false;
    for (const { finish } of this.held.splice(0)) finish();
  }

  /** Every line is there as it was; ascending, once each. */
  assertAll(): void {
    const sorted = [...this.taken].sort((a, b) => a.from - b.from);
    let next = 0;
    for (const { from, end } of sorted) {
      assert.equal(from, next);
      next = end;
    }
    assert.equal(next, this.end);
    const wanted = Array.from({ length: this.end }, (_, line) => lineOf(line)).join("");
    assert.equal(sorted.map(({ text }) => text).join(""), wanted);
  }
}

function lineOf(number: number): string {
  return `{"n":${String(number).padStart(9, "0")},"pad":"${"x".repeat(80)}"}\n`;
}

describe("a follower of a lane", () => {
  test("hands on what is there and what comes, in order, and moves its cursor behind it", async () => {
    const bed = new Bed();
    bed.add(3);
    bed.run();
    await until(() => bed.cursor.fresh === 3, "the first are done");
    for (const lines of [1, 5, 2]) {
      bed.add(lines);
      await until(() => bed.cursor.fresh === bed.end, "the next are done");
    }
    await bed.close();
    bed.assertAll();
    assert.equal(bed.moves, 4);
  });

  test("has at most one block under way, and many full ones go through in order", async () => {
    const bed = new Bed();
    const lines = Math.ceil((3.5 * FOLLOW_BLOCK_BYTES_MAX) / lineOf(0).length);
    bed.holds = true;
    bed.add(lines);
    bed.run();
    for (let blocks = 0; bed.cursor.fresh < lines; blocks++) {
      await until(() => bed.held.length > 0, "a block is under way");
      assert.equal(bed.begun.length, blocks + 1);
      const { sent, finish } = bed.held.shift()!;
      finish();
      await until(() => bed.cursor.fresh === sent.end, "it is done");
    }
    await bed.close();
    bed.assertAll();
    assert.deepEqual(
      bed.taken.map(({ from }) => from),
      [...bed.taken.map(({ from }) => from)].sort((a, b) => a - b),
    );
  });

  test("begins where its cursor is", async () => {
    const bed = new Bed(new LaneCursor(2));
    bed.add(5);
    bed.run();
    await until(() => bed.cursor.fresh === 5, "the rest is done");
    await bed.close();
    assert.equal(bed.taken.map(({ text }) => text).join(""), [2, 3, 4].map(lineOf).join(""));
  });

  test("sends a block again that the sink threw at, tells of it, and loses nothing", async () => {
    const bed = new Bed();
    bed.failures = 2;
    bed.add(4);
    bed.run();
    await until(() => bed.cursor.fresh === 4, "it is done at last");
    await bed.close();
    assert.equal(bed.errors.length, 2);
    assert.deepEqual(
      bed.begun.map(({ from, end }) => [from, end]),
      [
        [0, 4],
        [0, 4],
        [0, 4],
      ],
    );
    bed.assertAll();
  });

  test("tells of a file that cannot be read, and goes on when it can", async () => {
    const bed = new Bed();
    bed.openFails = true;
    bed.add(4);
    bed.run();
    await until(() => bed.errors.length > 0, "it tells");
    bed.openFails = false;
    await until(() => bed.cursor.fresh === 4, "it is done");
    await bed.close();
    bed.assertAll();
  });

  test("closed while it waits for another try, it ends without the rest of that wait", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const bed = new Bed();
    bed.failures = 1;
    bed.add(1);
    bed.run();
    while (bed.errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await bed.close();
    assert.equal(bed.taken.length, 0);
  });

  test("closed with a block under way, it ends when the sink lets go of it, and that block is not done", async () => {
    const bed = new Bed();
    bed.holds = true;
    bed.add(2);
    bed.run();
    await until(() => bed.held.length === 1, "it is under way");
    const closing = bed.close();
    bed.held[0]!.finish(new Error("the sink ends"));
    await closing;
    assert.equal(bed.cursor.fresh, 0);
    assert.equal(bed.errors.length, 0, "an end is no error");
  });
});

describe("a follower that fell behind", () => {
  /** A block is held while a heap of others ages behind it. */
  async function behind(bed: Bed): Promise<void> {
    bed.holds = true;
    bed.add(1);
    bed.run();
    await until(() => bed.held.length === 1, "the first is under way");
    bed.add(2 * FOLLOW_JUMP_LINES_MIN);
    bed.held.shift()!.finish();
    await until(() => bed.held.length === 1, "one of the heap is under way");
    bed.nowMs += FOLLOW_FRESH_MS_MAX + 1;
  }

  test("does what is fresh first, and what it left behind in its order beside it", async () => {
    const bed = new Bed();
    await behind(bed);
    const { sent, finish } = bed.held.shift()!;
    finish();
    await until(() => bed.cursor.late.length > 0, "it has jumped");
    assert.deepEqual(bed.cursor.late[0], { from: sent.end, to: bed.end });
    const jumpedTo = bed.end;
    await until(() => bed.held.length === 1, "the old is under way");
    bed.add(3);
    await until(
      () => bed.held.some(({ sent }) => sent.from === jumpedTo),
      "the fresh is under way beside it",
    );
    const fresh = bed.held.find(({ sent }) => sent.from === jumpedTo)!;
    fresh.finish();
    await until(() => bed.cursor.fresh === bed.end, "the fresh is done while the old is not");
    assert.equal(bed.cursor.needed, sent.end);
    bed.held.splice(bed.held.indexOf(fresh), 1);
    bed.release();
    await until(() => bed.cursor.needed === bed.end, "all is done");
    await bed.close();
    bed.assertAll();
    const old = bed.taken.filter(({ end }) => end <= jumpedTo).map(({ from }) => from);
    assert.deepEqual(
      old,
      [...old].sort((a, b) => a - b),
    );
  });

  test("leaves nothing for later that is few lines, or young", async () => {
    const few = new Bed();
    few.holds = true;
    few.add(1);
    few.run();
    await until(() => few.held.length === 1, "the first is under way");
    few.add(FOLLOW_JUMP_LINES_MIN - 1);
    few.nowMs += 60_000;
    few.release();
    await until(() => few.cursor.fresh === few.end, "all is done");
    await few.close();
    const young = new Bed();
    young.add(2 * FOLLOW_JUMP_LINES_MIN);
    young.run();
    await until(() => young.cursor.fresh === young.end, "all is done");
    await young.close();
    for (const bed of [few, young]) bed.assertAll();
    for (const bed of [few, young])
      assert.deepEqual(
        bed.taken.map(({ from }) => from),
        bed.taken.map(({ from }) => from).sort((a, b) => a - b),
      );
  });

  test("goes on after a start with what an earlier life left for later", async () => {
    const bed = new Bed(
      new LaneCursor(6, [
        { from: 0, to: 2 },
        { from: 3, to: 5 },
      ]),
    );
    bed.add(8);
    bed.run();
    await until(() => bed.cursor.needed === 8, "all is done");
    await bed.close();
    assert.deepEqual(
      bed.taken.map(({ from, end }) => [from, end]).sort((a, b) => a[0]! - b[0]!),
      [
        [0, 2],
        [3, 5],
        [6, 8],
      ],
    );
  });

  test("says how old the oldest fresh line is that is not done", async () => {
    const bed = new Bed();
    assert.equal(bed.follower.freshLagMs, 0);
    await behind(bed);
    assert.equal(bed.follower.freshLagMs, FOLLOW_FRESH_MS_MAX + 1);
    bed.release();
    await until(() => bed.cursor.fresh === bed.end, "it has caught up");
    assert.equal(bed.follower.freshLagMs, 0);
    await until(() => bed.cursor.needed === bed.end, "all is done");
    await bed.close();
  });
});

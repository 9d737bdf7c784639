import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { REFUSAL } from "../errors.ts";
import { findAlignedIndexes } from "./direct-memory.ts";
import { fileError } from "./faulty-files.ts";
import { ACK_SYNCED, ACK_WRITTEN, realFiles } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { STORED } from "./waiter-group.ts";

const SMALL = { bufferBytes: 1 << 20, segmentBytesMax: 4 << 20, directBytesMin: 16_384 };

const probe = new LaneBed();
const missing =
  findAlignedIndexes(realFiles, probe.root, [new Uint8Array(1 << 20)]) === null
    ? "the folder for temporary files has no direct writes"
    : false;
probe.remove();

let bed: LaneBed;
/** The pieces written: what they covered and how. */
let pieces: { position: number; length: number; direct: boolean }[];
beforeEach(() => {
  bed = new LaneBed();
  pieces = [];
  bed.files.onWrite = (position, length, direct) => {
    pieces.push({ position, length, direct });
    return null;
  };
});
afterEach(() => {
  bed.remove();
});

async function store(bytes: number): Promise<string> {
  const text = bed.line(bytes);
  const before = bed.settled.length;
  assert.equal(bed.append(text, ACK_WRITTEN, `w${before}`), STORED);
  await until(() => bed.settled.length === before + 1, "it is settled");
  return text;
}

const directCount = () => pieces.filter((piece) => piece.direct).length;

describe("where direct writes can be had", { skip: missing }, () => {
  test("a large commit is a buffered head, a direct middle of whole pages, and a buffered tail", async () => {
    bed.open(SMALL);
    const text = (await store(5000)) + (await store(100_000));
    assert.deepEqual(pieces, [
      { position: 0, length: 5000, direct: false },
      { position: 5000, length: 3192, direct: false },
      { position: 8192, length: 94_208, direct: true },
      { position: 102_400, length: 2600, direct: false },
    ]);
    assert.equal(bed.text(), text);
    await bed.close();
    assert.equal(bed.open(SMALL).segmentsChecked, 0);
  });

  test("commits of any sizes, across rotations and short writes, read back as they were written", async () => {
    bed.open({ ...SMALL, segmentBytesMax: 600_000 });
    const sizes = fc.array(fc.integer({ min: 60, max: 300_000 }), { minLength: 1, maxLength: 12 });
    let text = "";
    let shortTo = 0;
    bed.files.onWrite = (position, length, direct) => {
      pieces.push({ position, length, direct });
      return { bytes: shortTo > 0 && length > shortTo ? shortTo : length };
    };
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(0, 4096 * 5, 8192), async (list, short) => {
        shortTo = short;
        for (const size of list) text += await store(size);
        assert.equal(bed.allText(), text);
      }),
      { numRuns: 8, endOnFailure: true },
    );
    assert.ok(directCount() > 5, "some were direct");
    await bed.close();
    assert.equal(bed.allText(), text);
  });

  test("a commit that goes on in another file than was thought goes through the cache, the next is split again", async () => {
    bed.open({ ...SMALL, segmentAgeMsMax: 1000 });
    await store(20_001);
    bed.nowMs += 1000;
    const second = await store(50_000);
    assert.deepEqual(pieces.at(-1), { position: 0, length: 50_000, direct: false });
    const third = await store(50_000);
    assert.ok(pieces.at(-2)!.direct);
    assert.equal(bed.text(1), second + third);
    await bed.close();
  });

  test("EINVAL turns to the cache for good and loses nothing", async () => {
    bed.open(SMALL);
    bed.files.onWrite = (position, length, direct) => {
      pieces.push({ position, length, direct });
      return direct ? { bytes: 0, code: "EINVAL" } : null;
    };
    const text = (await store(50_000)) + (await store(50_000));
    assert.equal(directCount(), 1);
    assert.equal(bed.text(), text);
    assert.ok(bed.settled.every((settlement) => settlement.refusal === STORED));
    await bed.close();
  });

  test("a disk that is full in the middle leaves no byte of the commit, and direct writes go on after", async () => {
    bed.open(SMALL);
    const good = await store(50_001);
    bed.files.onWrite = (_position, _length, direct) => (direct ? { bytes: 8192, code: "ENOSPC" } : null);
    await store(50_000);
    assert.equal(bed.settled[1]!.refusal, REFUSAL.disk_full);
    assert.equal(bed.text(), good);
    bed.files.onWrite = (position, length, direct) => {
      pieces.push({ position, length, direct });
      return null;
    };
    bed.nowMs += 250;
    let text = good + (await store(50_000));
    const before = directCount();
    text += await store(50_000);
    assert.equal(directCount(), before + 1);
    await bed.close();
    assert.equal(bed.allText(), text);
  });

  test("synced covers what was written past the cache", async () => {
    bed.open(SMALL);
    bed.append(bed.line(100_000), ACK_SYNCED, "s");
    await until(() => bed.refusalOf("s") === STORED, "it is synced");
    assert.equal(bed.files.syncCount, 1);
    await bed.close();
  });
});

describe("where direct writes cannot be had", () => {
  for (const path of ["direct.probe", ".jsonl"]) {
    test(`because opening ${path} for them fails, everything goes through the cache`, async () => {
      bed.files.onStep = (call, name) => {
        if (call === "direct" && name.endsWith(path)) throw fileError("EINVAL");
      };
      bed.open(SMALL);
      const text = (await store(50_000)) + (await store(60_000));
      assert.equal(directCount(), 0);
      assert.equal(bed.text(), text);
      await bed.close();
    });
  }

  test("because no place in a buffer is aligned, everything goes through the cache", async () => {
    bed.files.onStep = (call, name) => {
      if (call === "write" && name.endsWith("direct.probe")) throw fileError("EINVAL");
    };
    bed.open(SMALL);
    const text = await store(50_000);
    assert.equal(directCount(), 0);
    assert.equal(bed.text(), text);
    await bed.close();
  });
});

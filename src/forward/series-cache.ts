// From the constant bytes of a line to its series' labels, encoded: what makes the way from a line to a sample short. A series
// that is not known is read by JSON.parse, named by label-rules.ts, and kept.
//
//   arena   ···│ name bytes │ tail bytes │ labels bytes │ series │ name │ tail │ labels │···      an entry a series, in the order
//   slots   hash │ entry                                                                        in which they first came
//
// Senders send their series in the same order again and again, so the entry behind the last one is looked at first: it is the
// right one nearly always, and then nothing is hashed. Else slots find it, by open addressing, at most half full. Where arena
// or slots are full all is forgotten at once, and what is still sent comes back in. `series` is a hash of the labels: lines
// whose tags stand in another order, or whose type differs, are the same series, and must take the same way to the store.
// HOT: find() runs once a line.

import { FORWARD_CACHE_BYTES, FORWARD_CACHE_SERIES_MAX } from "../limits.ts";
import { labelsOf } from "./label-rules.ts";
import type { LineParts } from "./line-parts.ts";
import { copyRun, hashRun, isSameRun, RUN_SLACK_BYTES } from "./runs.ts";
import { encodeLabels } from "./write-request.ts";

const HEAD_BYTES = 16;
const SLOT_WORDS = 2;

export class SeriesCache {
  /** After find(): the labels are arena[labelsStart, labelsEnd), until the next find(). */
  arena: DataView;
  labelsStart = 0;
  labelsEnd = 0;
  /** A hash of the labels, from 0. */
  series = 0;

  /** The second word is where the entry begins, and 1 more; 0 is an empty slot. */
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly seriesMax: number;
  private readonly arenaBytes: number;
  private count = 0;
  private used = 0;

  constructor(seriesMax = FORWARD_CACHE_SERIES_MAX, arenaBytes = FORWARD_CACHE_BYTES) {
    const slots = 2 ** Math.ceil(Math.log2(seriesMax * 2));
    this.slots = new Int32Array(slots * SLOT_WORDS);
    this.mask = slots - 1;
    this.seriesMax = seriesMax;
    this.arenaBytes = arenaBytes;
    this.arena = new DataView(new ArrayBuffer(arenaBytes + RUN_SLACK_BYTES));
  }

  /** Looks the line's series up, or learns it; false where the line is none of the log's. */
  find(bytes: Buffer, view: DataView, parts: LineParts): boolean {
    const next = this.labelsEnd;
    if (next < this.used && this.isEntry(next, view, parts)) return this.choose(next);
    const { slots, mask } = this;
    const hash = hashOf(view, parts);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot * SLOT_WORDS + 1]! - 1;
      if (entry < 0) return this.learn(bytes, view, parts, hash);
      if (slots[slot * SLOT_WORDS] === hash && this.isEntry(entry, view, parts)) return this.choose(entry);
    }
  }

  private isEntry(
    at: number,
    view: DataView,
    { nameStart, nameEnd, tailStart, lineEnd }: LineParts,
  ): boolean {
    const arena = this.arena;
    const nameBytes = nameEnd - nameStart;
    const tailBytes = lineEnd - tailStart;
    const key = at + HEAD_BYTES;
    return (
      arena.getInt32(at, true) === nameBytes &&
      arena.getInt32(at + 4, true) === tailBytes &&
      isSameRun(arena, key, view, nameStart, nameBytes) &&
      isSameRun(arena, key + nameBytes, view, tailStart, tailBytes)
    );
  }

  private choose(at: number): true {
    const arena = this.arena;
    this.labelsStart = at + HEAD_BYTES + arena.getInt32(at, true) + arena.getInt32(at + 4, true);
    this.labelsEnd = this.labelsStart + arena.getInt32(at + 8, true);
    this.series = arena.getInt32(at + 12, true);
    return true;
  }

  private learn(bytes: Buffer, view: DataView, parts: LineParts, hash: number): boolean {
    const labels = tryLabels(bytes, parts);
    if (labels === null) return false;
    const { nameStart, nameEnd, tailStart, lineEnd } = parts;
    const nameBytes = nameEnd - nameStart;
    const tailBytes = lineEnd - tailStart;
    const wanted = HEAD_BYTES + nameBytes + tailBytes + labels.length;
    if (this.used + wanted > this.arenaBytes || this.count === this.seriesMax) this.forget(wanted);
    const { arena, used: at } = this;
    const key = at + HEAD_BYTES;
    const labelsStart = key + nameBytes + tailBytes;
    copyRun(view, nameStart, nameEnd, arena, key);
    copyRun(view, tailStart, lineEnd, arena, key + nameBytes);
    new Uint8Array(arena.buffer).set(labels, labelsStart);
    arena.setInt32(at, nameBytes, true);
    arena.setInt32(at + 4, tailBytes, true);
    arena.setInt32(at + 8, labels.length, true);
    arena.setInt32(
      at + 12,
      hashRun(arena, labelsStart, labelsStart + labels.length, labels.length) >>> 1,
      true,
    );
    // What does not fit beside others stays only until the next one.
    if (wanted <= this.arenaBytes) {
      this.used = labelsStart + labels.length;
      this.fillSlot(hash, at);
    }
    return this.choose(at);
  }

  private fillSlot(hash: number, entry: number): void {
    let slot = hash & this.mask;
    while (this.slots[slot * SLOT_WORDS + 1] !== 0) slot = (slot + 1) & this.mask;
    this.slots[slot * SLOT_WORDS] = hash;
    this.slots[slot * SLOT_WORDS + 1] = entry + 1;
    this.count++;
  }

  /** `wanted`: bytes that must fit now; one line can be longer than all of the arena. */
  private forget(wanted: number): void {
    this.slots.fill(0);
    this.count = 0;
    this.used = 0;
    const bytes = Math.max(wanted, this.arenaBytes) + RUN_SLACK_BYTES;
    if (this.arena.byteLength !== bytes) this.arena = new DataView(new ArrayBuffer(bytes));
  }
}

function hashOf(view: DataView, { nameStart, nameEnd, tailStart, lineEnd }: LineParts): number {
  return hashRun(view, tailStart, lineEnd, hashRun(view, nameStart, nameEnd, nameEnd - nameStart));
}

/** Null where name and tail are no parts of a line of ours. */
function tryLabels(bytes: Buffer, { nameStart, nameEnd, tailStart, lineEnd }: LineParts): Uint8Array | null {
  const name = bytes.toString("utf8", nameStart, nameEnd);
  try {
    const line = JSON.parse(`{"name":"${name}"${bytes.toString("utf8", tailStart, lineEnd)}`);
    const { tags, client } = line;
    if (typeof line.name !== "string" || typeof client !== "string" || !isTags(tags)) return null;
    return encodeLabels(labelsOf(line.name, tags, client));
  } catch {
    return null;
  }
}

function isTags(tags: unknown): tags is Record<string, string> {
  return (
    typeof tags === "object" &&
    tags !== null &&
    Object.values(tags).every((value) => typeof value === "string")
  );
}

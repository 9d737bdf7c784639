// From the constant bytes of a line to its series' labels, encoded: what makes the way from a line to a sample short. A series
// that is not known is read by JSON.parse, named by label-rules.ts, and kept.
//
//   slots   hash │ at │ name bytes │ tail bytes │ labels bytes │ series     open addressing, at most half full
//   arena   ···│ name │ tail │ labels │···                             grows at its end only
//
// Where either is full all is forgotten at once, and what is still sent comes back in. `series` is a hash of the labels: lines
// whose tags stand in another order, or whose type differs, are the same series, and must take the same way to the store.
// HOT: find() runs once a line.

import { FORWARD_CACHE_BYTES, FORWARD_CACHE_SERIES_MAX } from "../limits.ts";
import { labelsOf } from "./label-rules.ts";
import type { LineParts } from "./line-parts.ts";
import { copyRun, hashRun, isSameRun, RUN_SLACK_BYTES } from "./runs.ts";
import { encodeLabels } from "./write-request.ts";

const SLOT_WORDS = 6;

export class SeriesCache {
  /** After find(): the labels are arena[labelsStart, labelsEnd), until the next find(). */
  arena: DataView;
  labelsStart = 0;
  labelsEnd = 0;
  /** A hash of the labels, from 0. */
  series = 0;

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
    const { slots, mask, arena } = this;
    const { hash, nameStart, tailStart } = parts;
    const nameBytes = parts.nameEnd - nameStart;
    const tailBytes = parts.lineEnd - tailStart;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT_WORDS;
      const labelsBytes = slots[at + 4]!;
      if (labelsBytes === 0) return this.learn(bytes, view, parts);
      if (slots[at] !== hash || slots[at + 2] !== nameBytes || slots[at + 3] !== tailBytes) continue;
      const key = slots[at + 1]!;
      if (!isSameRun(arena, key, view, nameStart, nameBytes)) continue;
      if (!isSameRun(arena, key + nameBytes, view, tailStart, tailBytes)) continue;
      this.labelsStart = key + nameBytes + tailBytes;
      this.labelsEnd = this.labelsStart + labelsBytes;
      this.series = slots[at + 5]!;
      return true;
    }
  }

  private learn(bytes: Buffer, view: DataView, parts: LineParts): boolean {
    const labels = tryLabels(bytes, parts);
    if (labels === null) return false;
    const { nameStart, tailStart, lineEnd } = parts;
    const nameBytes = parts.nameEnd - nameStart;
    const tailBytes = lineEnd - tailStart;
    const wanted = nameBytes + tailBytes + labels.length;
    if (this.used + wanted > this.arenaBytes || this.count === this.seriesMax) this.forget(wanted);
    const key = this.used;
    copyRun(view, nameStart, nameStart + nameBytes, this.arena, key);
    copyRun(view, tailStart, lineEnd, this.arena, key + nameBytes);
    this.labelsStart = key + nameBytes + tailBytes;
    this.labelsEnd = this.labelsStart + labels.length;
    new Uint8Array(this.arena.buffer).set(labels, this.labelsStart);
    this.series = hashRun(this.arena, this.labelsStart, this.labelsEnd, labels.length) >>> 1;
    this.used = this.labelsEnd;
    // What does not fit beside others stays only until the next one.
    if (wanted > this.arenaBytes) this.used = 0;
    else this.fillSlot([parts.hash, key, nameBytes, tailBytes, labels.length, this.series]);
    return true;
  }

  private fillSlot(words: readonly number[]): void {
    let slot = words[0]! & this.mask;
    while (this.slots[slot * SLOT_WORDS + 4] !== 0) slot = (slot + 1) & this.mask;
    this.slots.set(words, slot * SLOT_WORDS);
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

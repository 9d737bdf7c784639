// Samples on their way to the store through one connection, encoded as they come, with where each came from: the body of a
// request, and of a part of it.
//
//   raw      │ TimeSeries │ TimeSeries │ TimeSeries │···        rawEnd[i]: behind sample i
//   origin   block 7, line at 0 │ block 7, line at 121 │ block 8, line at 0 │···
//
// HOT: add() runs once a line.

import type { LogBlock } from "./log-block.ts";
import { copyRun, RUN_SLACK_BYTES } from "./runs.ts";
import { putSample, putSeriesHead, SERIES_OVERHEAD_BYTES_MAX } from "./write-request.ts";

const RAW_BYTES_FIRST = 64 * 1024;

export class RequestBatch {
  samples = 0;
  private bytes = new Uint8Array(RAW_BYTES_FIRST);
  private view = new DataView(this.bytes.buffer);
  private used = 0;
  private readonly rawEnd: Int32Array;
  private readonly lineAt: Int32Array;
  private readonly blocks: LogBlock[] = [];
  /** The first sample of each of the blocks. */
  private readonly blockFrom: number[] = [];

  constructor(samplesMax: number) {
    this.rawEnd = new Int32Array(samplesMax);
    this.lineAt = new Int32Array(samplesMax);
  }

  get isFull(): boolean {
    return this.samples === this.rawEnd.length;
  }

  /** The sample of the line at `lineAt` in the block, which waits for it from now on. */
  add(
    block: LogBlock,
    lineAt: number,
    labels: DataView,
    labelsStart: number,
    labelsEnd: number,
    value: number,
    timestampMs: number,
  ): void {
    const labelsBytes = labelsEnd - labelsStart;
    this.makeRoom(labelsBytes + SERIES_OVERHEAD_BYTES_MAX + RUN_SLACK_BYTES);
    const at = putSeriesHead(this.view, this.used, labelsBytes, timestampMs);
    copyRun(labels, labelsStart, labelsEnd, this.view, at);
    this.used = putSample(this.view, at + labelsBytes, value, timestampMs);
    if (this.blocks.at(-1) !== block) {
      this.blocks.push(block);
      this.blockFrom.push(this.samples);
    }
    this.rawEnd[this.samples] = this.used;
    this.lineAt[this.samples] = lineAt;
    this.samples++;
    block.pending++;
  }

  /** The samples [from, to) as a WriteRequest; this batch's memory. */
  request(from: number, to: number): Uint8Array {
    return this.bytes.subarray(from === 0 ? 0 : this.rawEnd[from - 1]!, to === 0 ? 0 : this.rawEnd[to - 1]!);
  }

  /** The line that a sample came from, without its line feed. */
  line(sample: number): string {
    const nth = this.blockFrom.findLastIndex((from) => from <= sample);
    return this.blocks[nth]!.line(this.lineAt[sample]!);
  }

  /** All samples are where they belong: the blocks wait for them no longer. */
  settle(): void {
    for (const [nth, block] of this.blocks.entries())
      block.pending -= (this.blockFrom[nth + 1] ?? this.samples) - this.blockFrom[nth]!;
  }

  /** Ready for other samples. */
  clear(): void {
    this.samples = 0;
    this.used = 0;
    this.blocks.length = 0;
    this.blockFrom.length = 0;
    // One line of megabytes does not keep its room.
    if (this.bytes.length > RAW_BYTES_KEPT_MAX) this.replaceBytes(RAW_BYTES_FIRST);
  }

  private makeRoom(bytes: number): void {
    if (this.used + bytes <= this.bytes.length) return;
    const before = this.bytes;
    this.replaceBytes(Math.max(before.length * 2, this.used + bytes));
    this.bytes.set(before.subarray(0, this.used));
  }

  private replaceBytes(length: number): void {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** A full batch of usual lines has some 250 KiB. */
const RAW_BYTES_KEPT_MAX = 1024 * 1024;

// For tests: one file of a model file system (model-files.ts) that knows what was written from what is on the disk.
//
//     pages (page cache) ──── sync, write-back ────▶ durablePages
//     sizes [durable, …, current]: every size since the durable one, in order, as a journal would take them
//
// Pages become durable one by one and in any order, and apart from the size: a durable size over a page that is not makes
// zeros. A page is never changed in place, so that a copy of the file is a copy of two arrays.
// A failed sync marks its pages clean without having stored them: later syncs pass them over, as the kernel's do.

export const MODEL_PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
const ZEROS = new Uint8Array(MODEL_PAGE_BYTES);

type Page = Uint8Array | undefined;

/** What one sync answers for: the state of the file when it began. */
export interface FileSnapshot {
  readonly pages: ReadonlyMap<number, Page>;
  readonly sizeCount: number;
  readonly generation: number;
}

export class ModelFile {
  private pages: Page[] = [];
  private durablePages: Page[] = [];
  private readonly dirty = new Set<number>();
  private sizes: number[] = [0];
  /** Counts the times that the durable size moved, so that a snapshot of before is not taken for one of now. */
  private sizesDropped = 0;
  modifiedMs = 0;

  get bytes(): number {
    return this.sizes.at(-1)!;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.bytes - position));
    for (let done = 0; done < count; ) {
      const at = (position + done) % MODEL_PAGE_BYTES;
      const part = Math.min(count - done, MODEL_PAGE_BYTES - at);
      const page = this.pages[Math.floor((position + done) / MODEL_PAGE_BYTES)] ?? ZEROS;
      target.set(page.subarray(at, at + part), offset + done);
      done += part;
    }
    return count;
  }

  content(): Buffer {
    const all = Buffer.alloc(this.bytes);
    this.read(all, 0, all.length, 0);
    return all;
  }

  write(source: Uint8Array, offset: number, length: number, position: number): void {
    for (let done = 0; done < length; ) {
      const number = Math.floor((position + done) / MODEL_PAGE_BYTES);
      const at = (position + done) % MODEL_PAGE_BYTES;
      const part = Math.min(length - done, MODEL_PAGE_BYTES - at);
      const page = new Uint8Array(this.pages[number] ?? ZEROS);
      page.set(source.subarray(offset + done, offset + done + part), at);
      this.pages[number] = page;
      this.dirty.add(number);
      done += part;
    }
    if (length > 0 && position + length > this.bytes) this.sizes.push(position + length);
  }

  truncate(bytes: number): void {
    if (bytes === this.bytes) return;
    if (bytes < this.bytes) {
      for (const number of this.dirty) if (number * MODEL_PAGE_BYTES >= bytes) this.dirty.delete(number);
      cutPages(this.pages, bytes);
      if (bytes % MODEL_PAGE_BYTES > 0) this.dirty.add(Math.floor(bytes / MODEL_PAGE_BYTES));
    }
    this.sizes.push(bytes);
  }

  snapshot(): FileSnapshot {
    const pages = new Map<number, Page>();
    for (const number of this.dirty) pages.set(number, this.pages[number]);
    return { pages, sizeCount: this.sizes.length, generation: this.sizesDropped };
  }

  /** The sync that took the snapshot has returned well. */
  settle(snapshot: FileSnapshot): void {
    const last = snapshot.sizeCount - 1 - (this.sizesDropped - snapshot.generation);
    if (last > 0) this.storeSizes(last);
    for (const [number, page] of snapshot.pages) {
      if (this.pages[number] === page) {
        this.durablePages[number] = page;
        this.dirty.delete(number);
      } else if (this.dirty.has(number)) {
        const stored = this.sizes[0]! - number * MODEL_PAGE_BYTES;
        this.durablePages[number] = last < 0 ? cutPage(page, stored) : page;
      }
    }
  }

  /** That sync has failed: what it was to store is clean, and not stored. */
  drop(snapshot: FileSnapshot): void {
    for (const [number, page] of snapshot.pages) if (this.pages[number] === page) this.dirty.delete(number);
  }

  /** The kernel stores some of what it has, in no order. */
  writeBack(random: () => number): void {
    if (random() < 0.5) this.storeSizes(Math.floor(random() * this.sizes.length));
    for (const number of [...this.dirty]) {
      if (random() < 0.5) continue;
      this.durablePages[number] = this.pages[number];
      this.dirty.delete(number);
    }
  }

  /** The same file, page cache and all: what a process that dies leaves. */
  clone(): ModelFile {
    const copy = new ModelFile();
    copy.pages = this.pages.slice();
    copy.durablePages = this.durablePages.slice();
    for (const number of this.dirty) copy.dirty.add(number);
    copy.sizes = this.sizes.slice();
    copy.modifiedMs = this.modifiedMs;
    return copy;
  }

  /** What is on the disk after a power cut: the durable, and as much of the rest as chance stored before. */
  afterPowerCut(random: () => number): ModelFile {
    const left = this.clone();
    const share = random() < 0.3 ? 0 : random() < 0.3 ? 1 : random();
    if (random() < 0.6) left.storeSizes(Math.floor(random() * left.sizes.length));
    for (const number of this.dirty) {
      if (random() >= share) continue;
      const page = this.pages[number];
      left.durablePages[number] = random() < 0.3 ? torn(left.durablePages[number], page, random) : page;
    }
    left.sizes = [left.sizes[0]!];
    cutPages(left.durablePages, left.sizes[0]!);
    left.pages = left.durablePages.slice();
    left.dirty.clear();
    return left;
  }

  /** Makes sizes[last] the durable one. A shrinking on the way takes what was durable beyond it, unless that is newer. */
  private storeSizes(last: number): void {
    let least = Number.POSITIVE_INFINITY;
    for (let at = 1; at <= last; at++)
      if (this.sizes[at]! < this.sizes[at - 1]!) least = Math.min(least, this.sizes[at]!);
    if (least < Number.POSITIVE_INFINITY) {
      const kept = this.durablePages.slice();
      cutPages(kept, least);
      for (const [number, page] of this.durablePages.entries())
        if (page !== this.pages[number]) this.durablePages[number] = kept[number];
    }
    this.sizes.splice(0, last);
    this.sizesDropped += last;
  }
}

/** Takes off what lies at or beyond `bytes`; the rest of its page reads as zeros. */
function cutPages(pages: Page[], bytes: number): void {
  const whole = Math.ceil(bytes / MODEL_PAGE_BYTES);
  if (pages.length > whole) pages.length = whole;
  if (pages[whole - 1] !== undefined)
    pages[whole - 1] = cutPage(pages[whole - 1], bytes - (whole - 1) * MODEL_PAGE_BYTES);
}

/** The page with zeros from `bytes` on. */
function cutPage(page: Page, bytes: number): Page {
  if (page === undefined || bytes >= MODEL_PAGE_BYTES) return page;
  const cut = new Uint8Array(page);
  cut.fill(0, Math.max(0, bytes));
  return cut;
}

/** A page of which only some sectors reached the disk. */
function torn(before: Page, after: Page, random: () => number): Page {
  const page = new Uint8Array(before ?? ZEROS);
  for (let at = 0; at < MODEL_PAGE_BYTES; at += SECTOR_BYTES)
    if (random() < 0.5) page.set((after ?? ZEROS).subarray(at, at + SECTOR_BYTES), at);
  return page;
}

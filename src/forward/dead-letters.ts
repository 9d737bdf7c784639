// What the store has refused for good, kept for a person: `<data>/dead-letter/forward-<name>.jsonl`, one object a line of the log:
//
//   {"at":"2026-01-31T10:00:00.000Z","status":400,"answer":"out of order sample","line":{"ts":1763890000000,"name":…}}
//
// `line` is the line as it stands in the log, so that `jq -c .line` gives the lines back; one that cannot be read as the log's
// is `text`. On the disk before the cursor passes it. The newest DEAD_LETTER_FILES_MAX files of DEAD_LETTER_BYTES_MAX are kept
// (`….1.jsonl` is the one before); what goes with an older one is counted and said.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DEAD_LETTER_BYTES_MAX, DEAD_LETTER_FILES_MAX } from "../limits.ts";
import type { LogFiles } from "../log/files.ts";

export const DEAD_LETTER_FOLDER = "dead-letter";
const LF = 0x0a;
const TAIL_BYTES = 64 * 1024;

export interface DeadLetter {
  /** 0 where the store was not asked. */
  status: number;
  answer: string;
  line: string;
}

export interface DeadLetterOptions {
  files: LogFiles;
  dataFolder: string;
  /** "forward-…" */
  name: string;
  wallMs(): number;
  /** A file of letters was deleted to make room. */
  onDropped(path: string): void;
  bytesMax?: number;
}

export class DeadLetters {
  readonly path: string;
  private readonly options: DeadLetterOptions;
  private readonly folder: string;
  private readonly bytesMax: number;
  private fd = -1;
  private bytes = 0;

  constructor(options: DeadLetterOptions) {
    this.options = options;
    this.folder = join(options.dataFolder, DEAD_LETTER_FOLDER);
    this.path = join(this.folder, `${options.name}.jsonl`);
    this.bytesMax = options.bytesMax ?? DEAD_LETTER_BYTES_MAX;
  }

  /** On the disk when it returns. Throws the file system's error; then nothing of these counts, and they may be added again. */
  add(letters: readonly DeadLetter[]): void {
    const { files, wallMs } = this.options;
    const at = new Date(wallMs()).toISOString();
    const bytes = Buffer.from(letters.map((letter) => encodeLetter(at, letter)).join(""));
    if (this.fd >= 0 && this.bytes >= this.bytesMax) this.rotate();
    if (this.fd < 0) this.open();
    try {
      files.writeAll(this.fd, bytes, 0, bytes.length, this.bytes);
      files.sync(this.fd);
      this.bytes += bytes.length;
    } catch (error) {
      // What a failed sync leaves is not known; another descriptor finds out.
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.fd >= 0) this.options.files.close(this.fd);
    this.fd = -1;
  }

  private open(): void {
    const { files } = this.options;
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const size = files.stat(this.path)?.bytes ?? null;
    this.fd = size === null ? files.create(this.path) : files.openReadWrite(this.path);
    this.bytes = size === null ? 0 : this.wholeBytes(size);
    if (size !== null && this.bytes < size) files.ftruncate(this.fd, this.bytes);
    if (size === null) {
      files.fsyncDirectory(this.folder);
      files.fsyncDirectory(this.options.dataFolder);
    }
  }

  /** Behind the last whole line: a write that a crash tore was never counted on, and its lines come again. */
  private wholeBytes(size: number): number {
    const block = Buffer.alloc(Math.min(size, TAIL_BYTES));
    for (let end = size; end > 0; ) {
      const from = Math.max(0, end - block.length);
      const had = this.options.files.read(this.fd, block, 0, end - from, from);
      const last = block.subarray(0, had).lastIndexOf(LF);
      if (last >= 0) return from + last + 1;
      end = from;
    }
    return 0;
  }

  private rotate(): void {
    const { files, name, onDropped } = this.options;
    this.close();
    const nth = (age: number) => (age === 0 ? this.path : join(this.folder, `${name}.${age}.jsonl`));
    const oldest = nth(DEAD_LETTER_FILES_MAX - 1);
    if (files.stat(oldest) !== null) {
      files.unlink(oldest);
      onDropped(oldest);
    }
    for (let age = DEAD_LETTER_FILES_MAX - 2; age >= 0; age--)
      if (files.stat(nth(age)) !== null) files.rename(nth(age), nth(age + 1));
    files.fsyncDirectory(this.folder);
  }
}

function encodeLetter(at: string, { status, answer, line }: DeadLetter): string {
  const head = JSON.stringify({ at, status, answer }).slice(0, -1);
  return `${head},${isJson(line) ? `"line":${line}` : `"text":${JSON.stringify(line)}`}}\n`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

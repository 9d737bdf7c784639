// Lines that the stream cannot take, kept where an operator finds them: `<data>/dead-letter/replicate.jsonl`, as they were.
// They are in the log too, until retention deletes them there; here they stay.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LogFiles } from "../log/files.ts";
import type { Block } from "./block-message.ts";

export const DEAD_LETTER_FOLDER = "dead-letter";

export class SetAsideFile {
  private readonly files: LogFiles;
  private readonly folder: string;

  constructor(files: LogFiles, dataFolder: string) {
    this.files = files;
    this.folder = join(dataFolder, DEAD_LETTER_FOLDER);
  }

  /** On the disk when it returns. Throws the file system's error. */
  add({ bytes }: Block): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, "replicate.jsonl");
    const size = this.files.stat(path)?.bytes;
    const fd = size === undefined ? this.files.create(path) : this.files.openReadWrite(path);
    try {
      this.files.writeAll(fd, bytes, 0, bytes.length, size ?? 0);
      this.files.sync(fd);
    } catch (error) {
      // Tried again behind half a line, it would be on that line.
      this.files.ftruncate(fd, size ?? 0);
      throw error;
    } finally {
      this.files.close(fd);
    }
    this.files.fsyncDirectory(this.folder);
  }
}

// Messages that are no block of ours, kept whole where an operator finds them: `<data>/dead-letter/<stream sequence>.block`.
//
//     tidemark dead letter 1           what this is, and of which version
//     stream: tidemark                 where it stood there
//     sequence: 1234
//     subject: tidemark.3.web1.0
//     why: is damaged: its checksum differs
//     header: Tidemark-Block: 1 …      each of the message's headers, as JSON texts where they are not plain
//     bytes: 5120
//     (an empty line, and then the payload as it came)
//
// A stream that was made anew counts from 1 again: another letter of the same number gets `<sequence>.1.block`, and so on. The
// same letter, come again because the acknowledgement was lost, is kept once.

import { join } from "node:path";
import type { FileError, LogFiles } from "../../log/files.ts";
import { replaceFile } from "../../log/replace-file.ts";

export const DEAD_LETTERS = "dead-letter";

export interface DeadLetter {
  stream: string;
  sequence: number;
  subject: string;
  /** The end of a sentence "… because it". */
  why: string;
  headers: readonly (readonly [name: string, value: string])[];
  payload: Uint8Array;
}

export class DeadLetterFolder {
  private readonly files: LogFiles;
  private readonly dataFolder: string;
  private readonly folder: string;

  constructor(files: LogFiles, dataFolder: string) {
    this.files = files;
    this.dataFolder = dataFolder;
    this.folder = join(dataFolder, DEAD_LETTERS);
  }

  /** Its path. It is on the disk when this returns. Throws the file system's errors. */
  keep(letter: DeadLetter): string {
    const files = this.files;
    const folder = this.folder;
    if (files.stat(folder) === null) files.mkdir(folder);
    files.fsyncDirectory(this.dataFolder);
    const bytes = encodeDeadLetter(letter);
    let path = join(folder, `${letter.sequence}.block`);
    for (let copy = 1; files.stat(path) !== null; copy++) {
      if (this.holds(path, bytes)) return path;
      path = join(folder, `${letter.sequence}.${copy}.block`);
    }
    replaceFile(files, path, bytes);
    return path;
  }

  private holds(path: string, bytes: Buffer): boolean {
    if (this.files.stat(path)!.bytes !== bytes.length) return false;
    const fd = this.files.openRead(path);
    try {
      const found = Buffer.alloc(bytes.length);
      let had = 0;
      while (had < found.length) {
        const count = this.files.read(fd, found, had, found.length - had, had);
        if (count === 0) return false;
        had += count;
      }
      return found.equals(bytes);
    } finally {
      this.files.close(fd);
    }
  }
}

export function encodeDeadLetter({ stream, sequence, subject, why, headers, payload }: DeadLetter): Buffer {
  const head = [
    "tidemark dead letter 1",
    `stream: ${stream}`,
    `sequence: ${sequence}`,
    `subject: ${subject}`,
    `why: ${why}`,
    ...headers.map(([name, value]) => `header: ${plain(name)}: ${plain(value)}`),
    `bytes: ${payload.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\n")}\n\n`), payload]);
}

/** On one line, whatever somebody has put there. */
function plain(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : JSON.stringify(text);
}

export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes((error as FileError).code ?? "");
}

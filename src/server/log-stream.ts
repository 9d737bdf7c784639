// Where the operator's log goes: standard error, at once. It may be a file on the very disk that is full, or a pipe whose
// reader has gone. That is no reason to stop taking batches, but an error of the stream that nobody hears would end the
// process. So it is heard and no more: lines that cannot be written wait, up to a bound, and are written when there is
// room again; those past the bound are lost.
// A line may show what others wrote, such as a path, and be read in a terminal: pino escapes what JSON must have escaped,
// and here the rest goes (DEL, C1, line separators, changes of direction).

import pino, { type DestinationStream } from "pino";
import { printable } from "../base/printable.ts";
import { LOG_WAITING_BYTES_MAX } from "../limits.ts";

const STANDARD_ERROR = 2;

export function openLogStream(): DestinationStream {
  const stream = pino.destination({ dest: STANDARD_ERROR, sync: true, maxLength: LOG_WAITING_BYTES_MAX });
  stream.on("error", () => {});
  return { write: (line) => stream.write(printable(line, "\n")) };
}

// Where the operator's log goes: standard error, at once. It may be a file on the very disk that is full, or a pipe whose
// reader has gone. That is no reason to stop taking batches, but an error of the stream that nobody hears would end the
// process. So it is heard and no more: lines that cannot be written wait, up to a bound, and are written when there is
// room again; those past the bound are lost.

import pino from "pino";
import { LOG_WAITING_BYTES_MAX } from "../limits.ts";

const STANDARD_ERROR = 2;

export function openLogStream(): ReturnType<typeof pino.destination> {
  const stream = pino.destination({ dest: STANDARD_ERROR, sync: true, maxLength: LOG_WAITING_BYTES_MAX });
  stream.on("error", () => {});
  return stream;
}

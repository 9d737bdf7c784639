// The one catalogue of refusals: every "no" the server can say over HTTP, with its status and whether trying again helps.
// Hot paths return these numbers; nothing on the hot path throws. The texts say what to do, in lower case.
// A refusal's `reason` is also its label in the counters, so that received = stored + rejected(by reason) can be read off.

export const REFUSALS = [
  // what the bytes on the wire did wrong: the connection closes
  { reason: "bad_request", status: 400, text: "cannot read the request" },
  {
    reason: "head_too_large",
    status: 431,
    text: "cannot read the header section because it is too long; send less than 16 KiB and 100 fields",
  },
  { reason: "version", status: 505, text: "cannot speak this version of HTTP; try HTTP/1.1" },
  {
    reason: "transfer_coding",
    status: 501,
    text: "cannot decode this Transfer-Encoding; try chunked, alone",
  },
  { reason: "expectation", status: 417, text: "cannot meet this Expect; only 100-continue is known" },
  { reason: "timeout", status: 408, text: "cannot wait longer for the rest of the request" },
  // what the request asked for
  { reason: "method_unknown", status: 501, text: "cannot do this method" },
  { reason: "method", status: 405, text: "cannot do this method here; see Allow" },
  { reason: "not_found", status: 404, text: "nothing is here; try GET / for what is" },
  {
    reason: "length",
    status: 413,
    text: "cannot take a body this large; see --body-max, or send smaller batches",
  },
  { reason: "media_type", status: 415, text: "cannot read this Content-Type; send application/json" },
  {
    reason: "content_coding",
    status: 415,
    text: "cannot read this Content-Encoding; send gzip, deflate, zstd or none",
  },
  {
    reason: "content_corrupt",
    status: 400,
    text: "cannot decompress the body; it is not what Content-Encoding says",
  },
  {
    reason: "client_id",
    status: 400,
    text: "cannot use this X-Client-Id; send 1 to 64 of A-Z a-z 0-9 . _ -",
  },
  {
    reason: "preference",
    status: 400,
    text: "cannot read Prefer: ack=…; try accepted, written, synced or replicated",
  },
  // admission
  {
    reason: "unauthorized",
    status: 401,
    text: "cannot admit the request because it names no token that is configured; send Authorization: Bearer TOKEN",
  },
  {
    reason: "rate_limit",
    status: 429,
    text: "cannot take more from this client now because it is over --rate-limit; come back after Retry-After",
  },
  {
    reason: "connections",
    status: 503,
    text: "cannot take another connection because --connections-max are open; come back after Retry-After",
  },
  {
    reason: "memory",
    status: 503,
    text: "cannot hold more in flight because --memory-max is used up; come back after Retry-After",
  },
  {
    reason: "queue",
    status: 503,
    text: "cannot queue more because the log is still writing; come back after Retry-After",
  },
  {
    reason: "draining",
    status: 503,
    text: "cannot take the batch because the server is shutting down; try another or come back",
  },
  // the batch
  { reason: "json", status: 400, text: "cannot read the body as JSON" },
  { reason: "batch", status: 400, text: "cannot accept the batch" },
  // the log
  {
    reason: "disk_full",
    status: 503,
    text: "cannot store the batch because the disk is full; come back after Retry-After",
  },
  {
    reason: "disk",
    status: 503,
    text: "cannot store the batch because the disk reported an error; come back after Retry-After",
  },
  // past one machine
  {
    reason: "log_full",
    status: 503,
    text: "cannot store the batch because the log has reached --retention-size and what it holds has not been followed yet; come back after Retry-After",
  },
  {
    reason: "replica",
    status: 503,
    text: "cannot promise replicated because the stream cannot be reached; come back after Retry-After",
  },
  {
    reason: "replica_timeout",
    status: 504,
    text: "cannot say that the batch is replicated because the stream has not acknowledged it in time; it is synced here and will reach the stream: sent again it may be stored twice",
  },
] as const;

export type RefusalReason = (typeof REFUSALS)[number]["reason"];

/** A refusal as hot paths carry it: its index in REFUSALS. */
export type Refusal = number;

export const REFUSAL = Object.fromEntries(REFUSALS.map((entry, index) => [entry.reason, index])) as Record<
  RefusalReason,
  Refusal
>;

/** An error of the world or of the operator (a bad flag, a held data folder), with a text for a person. */
export class TidemarkError extends Error {
  /** The process's exit code when this reaches the command line: 2 for bad usage, 1 otherwise. */
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "TidemarkError";
    this.exitCode = exitCode;
  }
}

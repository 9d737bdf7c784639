// What stands on either side of a connection: the transport's stream below it, the program's exchange above it.

import type { Refusal } from "../errors.ts";
import type { HttpConnection } from "./connection.ts";
import type { RequestHead } from "./request-head.ts";

/** The transport's side of a connection; net/ has the real ones. */
export interface Stream {
  write(bytes: Uint8Array): void;
  backlogBytes(): number;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
  remoteAddress(): string;
}

// What admit() decides.
/** Collect the body, then handle(). */
export const ADMIT_TAKE = 0;
/** The route wants no body: read past it, then handle() with none. */
export const ADMIT_SKIP = 1;
/** Already answered through the connection: read past the body and go on. */
export const ADMIT_REFUSED = 2;

/** The program behind the connections of a thread: decides on heads, handles whole requests. */
export interface Exchange<C> {
  /** The head is whole and its body not yet read. `head` and `bytes` are valid only during the call. */
  admit(connection: HttpConnection<C>, head: RequestHead, bytes: Uint8Array): number;
  /** bytes[start, end) is the body, decoded of all codings; valid only during the call. Must answer now or make the connection owe. */
  handle(connection: HttpConnection<C>, bytes: Uint8Array, start: number, end: number): void;
  /** A request died of its framing, its size, its deadline or for want of memory before handle(); returns Retry-After, 0 for none. */
  refused(refusal: Refusal): number;
}

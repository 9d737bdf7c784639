// What the connections of one ingest thread share: the scratch parser, the pool, the budget, the coarse clock.
// One object a thread, so that a connection itself stays small.

import type { Answers } from "./answers.ts";
import type { BodyPool } from "./body-pool.ts";
import type { HttpConnection } from "./connection.ts";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { Exchange } from "./exchange.ts";
import type { RequestHead } from "./request-head.ts";

/** Bytes in flight, charged before they are held; admission/ has the real one. */
export interface Budget {
  tryTake(bytes: number): boolean;
  give(bytes: number): void;
}

export interface ConnectionShared<C> {
  readonly head: RequestHead;
  readonly exchange: Exchange<C>;
  readonly answers: Answers;
  readonly budget: Budget;
  readonly pool: BodyPool;
  readonly registry: ConnectionRegistry<HttpConnection<C>>;
  /** Most body bytes, both before and after decompression. */
  readonly bodyBytesMax: number;
  readonly keepAliveTimeoutMs: number;
  /** False with --keep-alive off, and once a drain has begun. */
  keepAliveAllowed: boolean;
  /** Monotonic milliseconds, refreshed every DEADLINE_TICK_MS: good enough for deadlines, free to read. */
  coarseMs: number;
  bytesRead: number;
  bytesWritten: number;
}

// Who makes room when --connections-max are open: the connection that has waited longest for a request, so that silent
// clients cannot keep everybody else out until --keep-alive-timeout has passed. Nobody with a request under way is cut,
// and nobody who was idle for less than IDLE_BEFORE_ROOM_MS: a flood of connects cannot push out clients that send.
// One per ingest thread, which knows its own connections only. A flood asks this for every connect, so the connections
// are looked through once a tick at most: 20,000 of them take some 5 ms.

import { IDLE_BEFORE_ROOM_MS } from "../limits.ts";

/** What it needs of a connection. */
export interface Place {
  readonly deadlineMs: number;
  readonly isIdle: boolean;
  makeRoom(): void;
}

/** Where it finds them. */
export interface Places<T extends Place> {
  /** The idle ones whose deadline is before this one, soonest first. */
  idleBefore(deadlineMs: number): T[];
}

export class IdlePlaces<T extends Place> {
  private readonly places: Places<T>;
  private readonly keepAliveTimeoutMs: number;
  private candidates: T[] = [];
  private next = 0;
  private lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(places: Places<T>, keepAliveTimeoutMs: number) {
    this.places = places;
    this.keepAliveTimeoutMs = keepAliveTimeoutMs;
  }

  /** Closes one idle connection, whose slot is free then; false where there is none. `nowMs` is the coarse clock's. */
  tryMakeRoom(nowMs: number): boolean {
    // An idle connection's deadline was set when it became idle.
    const deadlineMsMax = nowMs + this.keepAliveTimeoutMs - IDLE_BEFORE_ROOM_MS;
    if (this.next === this.candidates.length && nowMs > this.lookedAtMs) {
      this.lookedAtMs = nowMs;
      this.candidates = this.places.idleBefore(deadlineMsMax);
      this.next = 0;
    }
    while (this.next < this.candidates.length) {
      const candidate = this.candidates[this.next++]!;
      // It may have been used, or closed, since it was found.
      if (!candidate.isIdle || candidate.deadlineMs >= deadlineMsMax) continue;
      candidate.makeRoom();
      return true;
    }
    this.candidates = [];
    this.next = 0;
    return false;
  }
}

// The open connections of one ingest thread, for the deadline tick, the cap and the drain. A dense array with
// swap-remove: 10,000 connections are looked at in about 20 µs, so one coarse timer serves them all.

/** What the registry needs of a connection. */
export interface Registered {
  /** The registry's: its place in the array, -1 outside. */
  index: number;
  readonly deadlineMs: number;
  /** Waits for a request, and nothing of one is here. */
  readonly isIdle: boolean;
  /** No request has come yet. */
  readonly isUnused: boolean;
  expired(): void;
  finish(): void;
}

export class ConnectionRegistry<T extends Registered> {
  private readonly connections: T[] = [];
  private readonly onRemoved: () => void;

  constructor(onRemoved: () => void) {
    this.onRemoved = onRemoved;
  }

  get count(): number {
    return this.connections.length;
  }

  add(connection: T): void {
    connection.index = this.connections.length;
    this.connections.push(connection);
  }

  remove(connection: T): void {
    const { index } = connection;
    if (index < 0) return;
    const last = this.connections.pop()!;
    if (last !== connection) {
      this.connections[index] = last;
      last.index = index;
    }
    connection.index = -1;
    this.onRemoved();
  }

  /** Tells every connection whose deadline has passed. Backwards, because an expired one may remove itself. */
  tick(nowMs: number): void {
    for (let i = this.connections.length - 1; i >= 0; i--) {
      const connection = this.connections[i];
      if (connection !== undefined && connection.deadlineMs < nowMs) connection.expired();
    }
  }

  /** Drain: nothing more is awaited from an idle connection; from one that is new, its first request is. */
  finishIdle(): void {
    this.finishWhere((connection) => connection.isIdle && !connection.isUnused);
  }

  /** Drain: that first request has not come. */
  finishIdleAndUnused(): void {
    this.finishWhere((connection) => connection.isIdle);
  }

  /** Those that wait for a request, longest first, and have done so since before this deadline was theirs. */
  idleBefore(deadlineMs: number): T[] {
    return this.connections
      .filter((connection) => connection.isIdle && connection.deadlineMs < deadlineMs)
      .sort((one, other) => one.deadlineMs - other.deadlineMs);
  }

  private finishWhere(isMeant: (connection: T) => boolean): void {
    for (let i = this.connections.length - 1; i >= 0; i--) {
      const connection = this.connections[i];
      if (connection !== undefined && isMeant(connection)) connection.finish();
    }
  }
}

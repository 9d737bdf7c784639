// A connection beyond --connections-max: told 503 and when to come back, then closed. It stays for one deadline tick so
// that the answer is read before the reset that unread request bytes would cause, and is bounded in number.

import type { Registered } from "../http/connection-registry.ts";
import type { Stream } from "../http/exchange.ts";

export class RefusedConnection implements Registered {
  index = -1;
  readonly isIdle = true;
  readonly isUnused = false;
  readonly deadlineMs: number;
  private readonly stream: Stream;
  private readonly onClosed: (connection: RefusedConnection) => void;

  constructor(
    stream: Stream,
    answer: Uint8Array,
    deadlineMs: number,
    onClosed: (connection: RefusedConnection) => void,
  ) {
    this.stream = stream;
    this.deadlineMs = deadlineMs;
    this.onClosed = onClosed;
    stream.write(answer);
    stream.end();
  }

  received(): void {}

  drained(): void {}

  peerEnded(): void {
    this.stream.destroy();
  }

  closed(): void {
    this.onClosed(this);
  }

  expired(): void {
    this.stream.destroy();
  }

  finish(): void {
    this.stream.destroy();
  }
}

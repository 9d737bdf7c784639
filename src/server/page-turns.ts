// The pages that take work to make, given out a few a turn of the event loop. A page is made once for all that wait for it
// when its turn comes, and asked for again only in a later turn: a client that sends 10,000 GET /stats in one write
// shares the thread with everybody else instead of having it for 3 s (GET /metrics: until the thread was taken for one
// that spins). One per ingest thread. What is answered was read after it was asked for.

import { PAGES_PER_TURN_MAX } from "../limits.ts";
import type { IngestConnection } from "./request-context.ts";

/** One connection that waits for the page, and how its answer is to be sent. */
export interface PageWaiter {
  readonly connection: IngestConnection;
  readonly keepAlive: boolean;
  readonly isHttp10: boolean;
  readonly isHead: boolean;
}

export class PageTurns {
  private readonly render: () => string | Promise<string>;
  /** The answer for one waiter; `error` instead of `text` where the page could not be made. */
  private readonly answerFor: (waiter: PageWaiter, text: string, error: unknown) => Uint8Array;
  private waiting: PageWaiter[] = [];
  private isTurnDue = false;
  private readonly turnBound = () => void this.turn();

  constructor(
    render: () => string | Promise<string>,
    answerFor: (waiter: PageWaiter, text: string, error: unknown) => Uint8Array,
  ) {
    this.render = render;
    this.answerFor = answerFor;
  }

  /** The connection owes this answer from now on, and reads nothing more until it is out. */
  ask(connection: IngestConnection): void {
    const { keepAlive, isHttp10, isHead } = connection;
    connection.oweAlone();
    this.waiting.push({ connection, keepAlive, isHttp10, isHead });
    this.schedule();
  }

  private schedule(): void {
    if (this.isTurnDue) return;
    this.isTurnDue = true;
    setImmediate(this.turnBound);
  }

  private async turn(): Promise<void> {
    const waiters = this.waiting.splice(0, PAGES_PER_TURN_MAX);
    let text = "";
    let error: unknown = null;
    try {
      text = await this.render();
    } catch (failure) {
      error = failure ?? "it failed";
    }
    for (const waiter of waiters) {
      waiter.connection.gather(this.answerFor(waiter, text, error));
      waiter.connection.flush();
    }
    // Only now: the next turn begins behind what the flushes above have asked for, and behind everybody's sockets.
    this.isTurnDue = false;
    if (this.waiting.length > 0) this.schedule();
  }
}

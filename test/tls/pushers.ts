// Clients that push numbered metrics over TLS for as long as they may, and count what an operator would call a failure.

import { metric, post } from "../support/requests.ts";
import { openSecure } from "./secure-client.ts";

export interface Pushed {
  /** Values answered 200. */
  readonly acknowledged: number[];
  /** Answers other than 200. */
  refused: number;
  /** Requests that were sent and not answered. */
  cut: number;
  /** Connections that ended although nobody asked for it. */
  dropped: number;
  /** Connections that could not be made. */
  unmade: number;
}

export const METRIC = "pushed_over_tls";

export class Pushers {
  readonly pushed: Pushed = { acknowledged: [], refused: 0, cut: 0, dropped: 0, unmade: 0 };
  private next = 0;
  private isOver = false;
  private readonly running: Promise<void>[] = [];

  /** `requestsMax`: on one connection; then a new one is made. */
  start(port: number, token: string, requestsMax: number): void {
    this.running.push(this.push(port, token, requestsMax));
  }

  /** Lets each finish its request; resolves when all have, or have met a server that is gone. */
  async stop(): Promise<Pushed> {
    this.isOver = true;
    await this.gone();
    return this.pushed;
  }

  /** Resolves when no connection can be had any more. */
  async gone(): Promise<void> {
    await Promise.all(this.running);
  }

  private async push(port: number, token: string, requestsMax: number): Promise<void> {
    const { pushed } = this;
    while (!this.isOver) {
      const connection = await openSecure(port).catch(() => null);
      if (connection === null) {
        pushed.unmade++;
        return;
      }
      for (let count = 0; count < requestsMax && !this.isOver; count++) {
        if (connection.ending !== null) {
          pushed.dropped++;
          break;
        }
        const value = this.next++;
        connection.send(post(metric(METRIC, value), { Authorization: `Bearer ${token}` }));
        const answer = await connection.answerOrEnd();
        if (answer === null) {
          pushed.cut++;
          break;
        }
        if (answer.status === 200) pushed.acknowledged.push(value);
        else pushed.refused++;
        if (answer.headers.get("connection") === "close") break;
      }
      connection.close();
    }
  }
}

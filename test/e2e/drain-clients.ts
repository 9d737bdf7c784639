// The clients of a server that is about to drain: some keep their connections, some open one for each request, some send
// each request in two pieces. All push numbered metrics until no connection can be had, and tell how each request ended.

import assert from "node:assert/strict";
import { RawConnection } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import { pause, type ServerProcess } from "../support/server-process.ts";

export const METRIC = "drained";

export class DrainClients {
  readonly acknowledged: number[] = [];
  /** Requests that were sent and not answered, on a connection that the server had taken. */
  readonly cut: string[] = [];
  /**
   * Requests on new connections that were reset: the kernel had taken them, the server had not. What reaches a listener
   * between its last accept and its close ends so, on Node: its place in the queue, and handshakes that found it taken.
   */
  neverTaken = 0;
  /** Requests. */
  get sent(): number {
    return this.next;
  }
  private next = 0;
  private readonly server: ServerProcess;

  constructor(server: ServerProcess) {
    this.server = server;
  }

  /** Resolves when all of them have been refused. */
  async run(): Promise<void> {
    await Promise.all([
      ...Array.from({ length: 24 }, () => this.client("whole", "keep-alive")),
      ...Array.from({ length: 8 }, () => this.client("whole", "close")),
      ...Array.from({ length: 4 }, () => this.client("in pieces", "keep-alive")),
    ]);
  }

  private async client(way: "whole" | "in pieces", connectionField: string): Promise<void> {
    for (let connection = await this.tryOpen(); connection !== null; connection = await this.tryOpen()) {
      let isNew = true;
      for (let isOpen = true; isOpen; isNew = false) {
        const value = this.next++;
        const bytes = post(metric(METRIC, value), { Connection: connectionField });
        if (way === "in pieces") {
          connection.send(bytes.subarray(0, 60));
          await pause(15);
        }
        connection.send(way === "in pieces" ? bytes.subarray(60) : bytes);
        isOpen = await this.readAnswer(connection, value, isNew);
      }
      connection.close();
    }
  }

  /** True where the connection takes another request. */
  private async readAnswer(connection: RawConnection, value: number, isNew: boolean): Promise<boolean> {
    const answer = await connection.answerOrEnd();
    if (answer === null) {
      if (isNew && connection.ending === "reset") this.neverTaken++;
      else
        this.cut.push(
          `request ${value}, ${isNew ? "the first" : "not the first"}, was ended by ${connection.ending}`,
        );
      return false;
    }
    if (answer.status === 200) this.acknowledged.push(value);
    else assert.equal(answer.status, 503, answer.head);
    return answer.headers.get("connection") !== "close";
  }

  private tryOpen(): Promise<RawConnection | null> {
    return RawConnection.open(this.server.port).catch((error) => {
      // Reset before it was open: no request was on it.
      assert.ok(["ECONNREFUSED", "ECONNRESET"].includes(error.code), error.code);
      return null;
    });
  }
}

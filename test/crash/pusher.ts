// One connection of the oracle's load: pushes batches, a few at a time in one write, notes each that got 200, and opens
// the connection again when the server ends it, until it is told to stop.

import { RawConnection } from "../support/raw-client.ts";
import { type Headers, post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";
import { bodyOf, type Ledger } from "./ledger.ts";
import { type Random, wholeBetween } from "./random.ts";

const BATCH_METRICS_MAX = 20;
const PIPELINED_MAX = 4;

export interface Pusher {
  /** Lets the connection end; resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

export function startPusher(port: number, ledger: Ledger, random: Random, headers: Headers): Pusher {
  let isStopping = false;
  const done = push();
  return {
    stop() {
      isStopping = true;
      return done;
    },
  };

  async function push(): Promise<void> {
    while (!isStopping) {
      const connection = await RawConnection.open(port).catch(() => null);
      if (connection === null) {
        await pause(2);
        continue;
      }
      while (!isStopping && (await pushOnce(connection))) {}
      connection.close();
    }
  }

  /** False where the connection is over. */
  async function pushOnce(connection: RawConnection): Promise<boolean> {
    const batches = Array.from({ length: wholeBetween(random, 1, PIPELINED_MAX) }, () => {
      const count = wholeBetween(random, 1, BATCH_METRICS_MAX);
      return { first: ledger.take(count), count };
    });
    connection.send(Buffer.concat(batches.map(({ first, count }) => post(bodyOf(first, count), headers))));
    for (const { first, count } of batches) {
      const answer = await connection.answerOrEnd();
      if (answer === null) return false;
      if (answer.status === 200) ledger.acknowledge(first, count);
      else if (answer.status !== 503) throw new Error(`a good batch got ${answer.head}\n${answer.body}`);
      if (answer.headers.get("connection") === "close") return false;
    }
    return true;
  }
}

// Clients that take their time: each opens a connection, says what its kind says, and lets a byte follow now and then.
// What is measured is how long after its first byte the server ended it.

import { connect, type Socket } from "node:net";
import { pause } from "../support/server-process.ts";

export interface SlowKind {
  readonly name: string;
  /** Sent at once; "" for one that says nothing. */
  readonly begin: string;
  /** Sent once a second after that; "" for silence. */
  readonly drip: string;
  /** A client that never reads: that it was ended is seen from the server's count only. */
  readonly isDeaf?: boolean;
}

export interface SlowOutcome {
  readonly opened: number;
  readonly cut: number;
  /** From the first byte to the end of the connection, milliseconds: the soonest and the latest. */
  readonly cutMsMin: number;
  readonly cutMsMax: number;
  /** First lines of the answers, with how many got each. */
  readonly answers: ReadonlyMap<string, number>;
}

const DRIP_MS = 1_000;
/** Connections asked for at a time: a burst beyond the accept queue would measure SYNs that are sent again. */
const BURST = 200;

/** Runs `count` of them until all are cut, or until `msMax` after the last was opened. */
export async function runSlowClients(
  port: number,
  count: number,
  kind: SlowKind,
  msMax: number,
): Promise<SlowOutcome> {
  const sockets = new Set<Socket>();
  const answers = new Map<string, number>();
  let opened = 0;
  let cut = 0;
  let cutMsMin = Number.POSITIVE_INFINITY;
  let cutMsMax = 0;
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      let beganMs = 0;
      let answer = "";
      const ended = (): void => {
        if (!sockets.delete(socket)) return;
        const ms = performance.now() - beganMs;
        cut++;
        cutMsMin = Math.min(cutMsMin, ms);
        cutMsMax = Math.max(cutMsMax, ms);
        const line = answer.split("\r\n", 1)[0]!;
        answers.set(line, (answers.get(line) ?? 0) + 1);
        socket.destroy();
      };
      socket.once("connect", () => {
        opened++;
        sockets.add(socket);
        beganMs = performance.now();
        if (kind.begin !== "") socket.write(kind.begin);
        resolve();
      });
      if (kind.isDeaf) socket.pause();
      else {
        socket.on("data", (bytes: Buffer) => {
          if (answer === "") answer = bytes.toString("latin1", 0, 64);
        });
      }
      socket.once("end", ended);
      socket.on("error", () => {});
      socket.once("close", () => {
        ended();
        resolve();
      });
    });
  for (let left = count; left > 0; left -= BURST) {
    await Promise.all(Array.from({ length: Math.min(BURST, left) }, open));
  }
  const dripping = setInterval(() => {
    if (kind.drip !== "") for (const socket of sockets) socket.write(kind.drip);
  }, DRIP_MS);
  const deadline = performance.now() + msMax;
  while (sockets.size > 0 && performance.now() < deadline) await pause(50);
  clearInterval(dripping);
  for (const socket of sockets) socket.destroy();
  return { opened, cut, cutMsMin, cutMsMax, answers };
}

/** Opens connections that say nothing and stay; resolves when all are answered for, with those that are open. */
export async function openSilent(port: number, count: number): Promise<Socket[]> {
  const open: Socket[] = [];
  for (let left = count; left > 0; left -= BURST) {
    await Promise.all(
      Array.from(
        { length: Math.min(BURST, left) },
        () =>
          new Promise<void>((resolve) => {
            const socket = connect({ port, host: "127.0.0.1" });
            socket.unref();
            socket.on("error", () => resolve());
            socket.on("end", () => socket.destroy());
            socket.resume();
            socket.once("connect", () => {
              open.push(socket);
              resolve();
            });
          }),
      ),
    );
  }
  return open;
}

// A client that sends exactly the bytes it is given, on a real socket, and reads the answers one by one. It does not
// help: no retries, no framing, no follow-up.

import { connect, type Socket } from "node:net";
import { type Answer, readAnswer } from "./answer.ts";

/** How the other side ended the connection; "failed" carries no answer at all. */
export type Ending = "fin" | "reset";

/** Longest wait for an answer that must come, milliseconds; the machine may be busy with other tests. */
const ANSWER_MS_MAX = 20_000;
const EMPTY = Buffer.alloc(0);

export class RawConnection {
  readonly socket: Socket;
  /** Unread bytes from the server. */
  unread: Buffer = EMPTY;
  ending: Ending | null = null;
  private wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.unread = this.unread.length === 0 ? bytes : Buffer.concat([this.unread, bytes]);
      this.stir();
    });
    socket.on("end", () => {
      this.ending ??= "fin";
      this.stir();
    });
    socket.on("error", () => {
      this.ending ??= "reset";
      this.stir();
    });
    socket.on("close", () => {
      this.ending ??= "reset";
      this.stir();
    });
  }

  /** On a socket that is connected already, such as one of node:tls. */
  static over(socket: Socket): RawConnection {
    return new RawConnection(socket);
  }

  /** Rejects with the system's error. */
  static open(port: number, host = "127.0.0.1"): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  send(bytes: string | Uint8Array): void {
    if (this.ending !== "reset") this.socket.write(bytes);
  }

  /** The next answer. Rejects when the connection ends before it is whole, or it does not come. */
  async answer(isForHead = false): Promise<Answer> {
    const answer = await this.answerOrEnd(isForHead);
    if (answer === null) {
      throw new Error(`the connection ended (${this.ending}) before an answer; unread: ${this.unread}`);
    }
    return answer;
  }

  /** As answer(), or null where the connection has ended instead. */
  async answerOrEnd(isForHead = false, msMax = ANSWER_MS_MAX): Promise<Answer | null> {
    const deadline = Date.now() + msMax;
    for (;;) {
      const read = readAnswer(this.unread, 0, isForHead);
      if (read !== null) {
        this.unread = this.unread.subarray(read.end);
        return read.answer;
      }
      if (this.ending !== null) return null;
      await this.stirred(deadline);
    }
  }

  /** Every answer until the server ends the connection. */
  async answersToTheEnd(): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (;;) {
      const answer = await this.answerOrEnd();
      if (answer === null) return answers;
      answers.push(answer);
    }
  }

  /** How the server ended the connection; rejects where it does not. */
  async ended(msMax = ANSWER_MS_MAX): Promise<Ending> {
    const deadline = Date.now() + msMax;
    while (this.ending === null) await this.stirred(deadline);
    return this.ending;
  }

  /** Sends FIN; the other direction stays open. */
  finish(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  /** Resolves when something arrived or ended; rejects at the deadline. */
  private stirred(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.wake = null;
          reject(new StillWaiting(this.unread));
        },
        Math.max(0, deadline - Date.now()),
      );
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }

  private stir(): void {
    this.wake?.();
  }
}

/** Neither an answer nor an end came in the time given. */
export class StillWaiting extends Error {
  constructor(unread: Buffer) {
    super(`no whole answer came in time; unread: ${JSON.stringify(unread.toString("latin1"))}`);
  }
}

/** One request on a connection of its own. */
export async function exchange(port: number, bytes: string | Uint8Array, isForHead = false): Promise<Answer> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(bytes);
    return await connection.answer(isForHead);
  } finally {
    connection.close();
  }
}

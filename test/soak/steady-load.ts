// The soak's own clients: a fixed number of connections, each sending a batch at its times in a plan, never faster. Latency
// counts from the planned time, so that a stall of the server cannot hide the batches that were due in it.

import { Histogram } from "../../src/base/histogram.ts";
import type { Ledger } from "../crash/ledger.ts";
import { bodyOf } from "../crash/ledger.ts";
import { RawConnection } from "../support/raw-client.ts";
import { post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";

const BATCH_METRICS = 3;

export interface SteadyLoadOptions {
  port: number;
  /** The client's name, as the ledger has it. */
  client: string;
  ledger: Ledger;
  connections: number;
  /** Batches a second of all connections. */
  rate: number;
}

export class SteadyLoad {
  /** Nanoseconds from the planned time to the answer; taken and begun anew by whoever reads it. */
  latency = new Histogram();
  /** Batches by the status they were answered with. */
  readonly answers = new Map<number, number>();
  /** Batches sent whose connection ended before their answer. */
  unanswered = 0;
  private readonly options: SteadyLoadOptions;
  private readonly loops: Promise<void>[];
  private isStopping = false;
  private isHeld = false;
  /** Resolves where the load may go on. */
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => {};
  private sending = 0;

  constructor(options: SteadyLoadOptions) {
    this.options = options;
    this.loops = Array.from({ length: options.connections }, (_, place) => this.run(place));
  }

  /** Sends nothing more; resolves when every batch sent has its answer or its end. */
  async hold(): Promise<void> {
    this.isHeld = true;
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
    while (this.sending > 0) await pause(5);
  }

  resume(): void {
    this.isHeld = false;
    this.openGate();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.resume();
    await Promise.all(this.loops);
  }

  private async run(place: number): Promise<void> {
    const { port, connections, rate } = this.options;
    const periodMs = (1000 * connections) / rate;
    let dueMs = performance.now() + (place / connections) * periodMs;
    let connection: RawConnection | null = null;
    while (!this.isStopping) {
      await pause(Math.max(0, dueMs - performance.now()));
      if (this.isHeld) {
        await this.gate;
        // What was due meanwhile was not asked for.
        dueMs = performance.now() + (place / connections) * periodMs;
        continue;
      }
      this.sending++;
      let lives = false;
      try {
        connection ??= await RawConnection.open(port).catch(() => null);
        lives = connection !== null && (await this.push(connection, dueMs));
      } finally {
        this.sending--;
      }
      if (!lives) {
        connection?.close();
        connection = null;
        await pause(20);
      }
      dueMs += periodMs;
    }
    connection?.close();
  }

  /** False where the connection is over. */
  private async push(connection: RawConnection, dueMs: number): Promise<boolean> {
    const { ledger, client } = this.options;
    const first = ledger.take(BATCH_METRICS);
    connection.send(post(bodyOf(first, BATCH_METRICS), { "X-Client-Id": client }));
    const answer = await connection.answerOrEnd(false, 60_000);
    if (answer === null) {
      this.unanswered++;
      return false;
    }
    this.latency.record((performance.now() - dueMs) * 1e6);
    this.answers.set(answer.status, (this.answers.get(answer.status) ?? 0) + 1);
    if (answer.status === 200) ledger.acknowledge(first, BATCH_METRICS, "written");
    return answer.headers.get("connection") !== "close";
  }
}

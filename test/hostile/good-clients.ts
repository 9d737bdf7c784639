// Clients that behave, beside those that do not: each sends a metric of its own name again and again and expects 200.
// In the end every metric that was answered 200 must be in the log once, and nothing else of theirs.

import { storedMetrics } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";

/** Between an answer and the next request of a client, milliseconds. */
const PACE_MS = 50;

export class GoodClients {
  sent = 0;
  readonly failures: string[] = [];
  /** Slowest answer since it was last set to 0, milliseconds. */
  msMax = 0;
  private readonly port: number;
  private readonly prefix: string;
  private readonly answered = new Set<string>();
  private readonly clients: Promise<void>[] = [];
  private isOver = false;

  /** Odd ones keep their connection, even ones take a new one for each request. */
  constructor(port: number, count: number, prefix: string) {
    this.port = port;
    this.prefix = prefix;
    for (let client = 1; client <= count; client++) this.clients.push(this.run(client));
  }

  async stop(): Promise<void> {
    this.end();
    await Promise.all(this.clients);
  }

  /** No more requests; whoever waits for stop() waits for the last answers too. */
  end(): void {
    this.isOver = true;
  }

  /** Of the log as it is now: what is missing, stored twice, or was never answered. */
  compare(data: string): { answered: number; lost: number; twice: number } {
    const found = new Map<string, number>();
    for (const { name } of storedMetrics(data)) found.set(name, (found.get(name) ?? 0) + 1);
    let lost = 0;
    let twice = 0;
    for (const name of this.answered) {
      const times = found.get(name) ?? 0;
      if (times === 0) lost++;
      if (times > 1) twice++;
    }
    return { answered: this.answered.size, lost, twice };
  }

  private async run(client: number): Promise<void> {
    let connection: RawConnection | null = null;
    for (let number = 0; !this.isOver; number++) {
      const name = `${this.prefix}_${client}_${number}`;
      const startedMs = performance.now();
      this.sent++;
      try {
        connection ??= await RawConnection.open(this.port);
        connection.send(post(metric(name)));
        const { status } = await connection.answer();
        if (status === 200) this.answered.add(name);
        else this.failures.push(`${name}: ${status}`);
      } catch (error) {
        this.failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
        connection?.close();
        connection = null;
      }
      this.msMax = Math.max(this.msMax, performance.now() - startedMs);
      if (client % 2 === 0) {
        connection?.close();
        connection = null;
      }
      await pause(PACE_MS);
    }
    connection?.close();
  }
}

// While a server is overloaded: does it still say how it is? One connection that asks /health, /ready and /stats in turn,
// and one that sends a small batch now and then and looks at each refusal: it must say when to come back.

import { Histogram } from "../../src/base/histogram.ts";
import { RawConnection } from "../support/raw-client.ts";
import { get, metric, post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";

const PAGES = ["/health", "/ready", "/stats"];
const INTERVAL_MS = 10;

export class OverloadProbe {
  /** Nanoseconds, of each page and of each batch that was refused or taken. */
  readonly pages = Histogram.fine();
  readonly refusals = Histogram.fine();
  readonly problems: string[] = [];
  accepted = 0;
  private readonly client: string;
  private isOver = false;
  private ended: Promise<unknown> = Promise.resolve();

  /** `client`: the name under which the batches are sent. */
  constructor(client = "probe") {
    this.client = client;
  }

  start(port: number): void {
    this.isOver = false;
    this.ended = Promise.all([this.askPages(port), this.sendBatches(port)]).catch((error) => {
      this.problems.push(`the probe ended: ${(error as Error).message}`);
    });
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.ended;
  }

  private async askPages(port: number): Promise<void> {
    const connection = await RawConnection.open(port);
    for (let turn = 0; !this.isOver; turn++) {
      const page = PAGES[turn % PAGES.length]!;
      const sentMs = performance.now();
      connection.send(get(page));
      const { status } = await connection.answer();
      this.pages.record((performance.now() - sentMs) * 1e6);
      if (status !== 200) this.problems.push(`${page} was answered ${status}`);
      await pause(INTERVAL_MS);
    }
    connection.close();
  }

  private async sendBatches(port: number): Promise<void> {
    const connection = await RawConnection.open(port);
    for (let turn = 0; !this.isOver; turn++) {
      const sentMs = performance.now();
      connection.send(post(metric("overload_probe", turn), { "X-Client-Id": this.client }));
      const { status, headers } = await connection.answer();
      if (status === 200) this.accepted++;
      else {
        this.refusals.record((performance.now() - sentMs) * 1e6);
        const seconds = Number(headers.get("retry-after"));
        if (status !== 503 && status !== 429) this.problems.push(`a batch was answered ${status}`);
        if (!(seconds >= 1)) this.problems.push(`a ${status} says no Retry-After`);
      }
      await pause(INTERVAL_MS);
    }
    connection.close();
  }
}

// The other end of hold-client.ts: connections that a scenario holds open from a process on the load's core.
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { spawnPinned, stopChild } from "../pinned.ts";

export interface HolderAnswer {
  /** Connections open now. */
  readonly open: number;
  /** Connections whose batch was answered 200, after `send`. */
  readonly answered: number;
}

export class Holder {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(node: string, port: number, connections: number, bodyPath: string) {
    const program = fileURLToPath(new URL("hold-client.ts", import.meta.url));
    const command = [node, program, String(port), String(connections), bodyPath];
    this.#child = spawnPinned("load", command, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(order: "open" | "send" | "count"): Promise<HolderAnswer> {
    this.#child.stdin!.write(`${order}\n`);
    const line = await this.#lines.next();
    if (line.done === true)
      throw new Error("cannot hold connections because the client that holds them ended");
    return JSON.parse(line.value) as HolderAnswer;
  }

  async close(): Promise<void> {
    await stopChild(this.#child);
  }
}

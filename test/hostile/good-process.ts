// GoodClients in a process of their own, for the long run: beside thousands of hostile clients in one process they would
// wait for those, and not for the server. Run as a program this file is that process; the words are lines on both sides.
//
//   long run ── "mark" | "end" | "compare FOLDER" ──▶ good clients
//            ◀── a Told as JSON, five times a second and after each word ──

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/server-process.ts";
import { GoodClients } from "./good-clients.ts";

const FILE = fileURLToPath(import.meta.url);
const TELL_MS = 200;

export type GoodVerdict = ReturnType<GoodClients["compare"]>;

interface Told {
  sent: number;
  /** All of them. */
  failures: readonly string[];
  msMax: number;
  /** Words carried out. */
  words: number;
  verdict: GoodVerdict | null;
}

/** The process, as the long run sees it. */
export class GoodProcess {
  private told: Told = { sent: 0, failures: [], msMax: 0, words: 0, verdict: null };
  private words = 0;
  private readonly child: ChildProcess;

  constructor(port: number, count: number, prefix: string) {
    this.child = spawn(process.execPath, [FILE, `${port}`, `${count}`, prefix], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    process.on("exit", () => this.child.kill("SIGKILL"));
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      this.told = JSON.parse(line);
    });
  }

  get sent(): number {
    return this.told.sent;
  }

  get failures(): readonly string[] {
    return this.told.failures;
  }

  /** Slowest answer since the last mark(), milliseconds. */
  get msMax(): number {
    return this.told.msMax;
  }

  mark(): Promise<void> {
    return this.say("mark");
  }

  /** Ends the clients; the process stays until compare(). */
  end(): Promise<void> {
    return this.say("end");
  }

  /** Compares what was answered with the log of a server that has stopped, and ends the process. */
  async compare(data: string): Promise<GoodVerdict> {
    await this.say(`compare ${data}`);
    this.child.stdin!.end();
    return this.told.verdict!;
  }

  private async say(word: string): Promise<void> {
    this.words++;
    this.child.stdin!.write(`${word}\n`);
    await eventually(`the good clients have heard "${word}"`, () => this.told.words === this.words, 120_000);
  }
}

async function main(port: number, count: number, prefix: string): Promise<void> {
  const clients = new GoodClients(port, count, prefix);
  let words = 0;
  let verdict: GoodVerdict | null = null;
  const tell = (): void => {
    const { sent, failures, msMax } = clients;
    process.stdout.write(`${JSON.stringify({ sent, failures, msMax, words, verdict } satisfies Told)}\n`);
  };
  const timer = setInterval(tell, TELL_MS);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "mark") clients.msMax = 0;
    else if (line === "end") await clients.stop();
    else verdict = clients.compare(line.slice("compare ".length));
    words++;
    tell();
  }
  clearInterval(timer);
  process.exit();
}

if (process.argv[1] === FILE) await main(Number(process.argv[2]), Number(process.argv[3]), process.argv[4]!);

// Stores for tests, as Debian packages them: VictoriaMetrics and Prometheus (as a remote-write receiver), each a process on a
// folder and a port of its own that can be killed and started again. Every test file that starts one says `after(stopStores)`;
// whatever still runs when the test process ends is killed then.

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../bench/programs.ts";
import { eventually } from "./server-process.ts";

export type StoreKind = "victoria-metrics" | "prometheus";

/** One sample as the store has it. */
export interface ReadSample {
  ts: number;
  value: number;
}

/** Below the range that the kernel hands out: nobody takes it while the store is down. */
const PORTS = { first: 15_000, end: 30_000 };
const START_MS_MAX = 30_000;

const stores = new Set<StoreProcess>();
const folders = new Set<string>();

/** Why the tests of this store skip, or false. */
export function storeMissing(kind: StoreKind): string | false {
  return findProgram(kind) === null ? `${kind} is not installed` : false;
}

export class StoreProcess {
  readonly port: number;
  private readonly kind: StoreKind;
  private readonly folder: string;
  private child: ChildProcess | null = null;

  constructor(kind: StoreKind, port: number, folder: string) {
    this.kind = kind;
    this.port = port;
    this.folder = folder;
    stores.add(this);
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The value of --to. */
  get target(): string {
    return `prometheus=${this.address}/api/v1/write`;
  }

  /** Resolves when it takes requests. */
  async start(): Promise<void> {
    const [program, ...words] = this.command();
    const child = spawn(program!, words, { stdio: ["ignore", "ignore", "ignore"] });
    this.child = child;
    await eventually(
      `${this.kind} is ready`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${this.kind} ended with ${child.exitCode}`);
        return (await tryGet(`${this.address}/-/ready`)) !== null;
      },
      START_MS_MAX,
    );
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  killNow(): void {
    this.child?.kill("SIGKILL");
  }

  /** By series' label `host`: what it has of the metric. Null while it cannot be asked. */
  async read(metric: string): Promise<Map<string, ReadSample[]> | null> {
    return this.kind === "prometheus" ? this.readMatrix(metric) : this.readExport(metric);
  }

  private async readMatrix(metric: string): Promise<Map<string, ReadSample[]> | null> {
    const text = await tryGet(`${this.address}/api/v1/query?query=${encodeURIComponent(`${metric}[1h]`)}`);
    if (text === null) return null;
    const found = new Map<string, ReadSample[]>();
    for (const { metric: labels, values } of JSON.parse(text).data.result)
      found.set(
        labels.host,
        values.map(([seconds, value]: [number, string]) => ({
          ts: Math.round(seconds * 1000),
          value: Number(value),
        })),
      );
    return found;
  }

  private async readExport(metric: string): Promise<Map<string, ReadSample[]> | null> {
    const text = await tryGet(`${this.address}/api/v1/export?match[]=${encodeURIComponent(metric)}`);
    if (text === null) return null;
    const found = new Map<string, ReadSample[]>();
    for (const line of text.split("\n").filter((line) => line !== "")) {
      const { metric: labels, values, timestamps } = JSON.parse(line);
      const samples = timestamps.map((ts: number, at: number) => ({ ts, value: values[at] }));
      // A series comes in several lines where it is in several parts of the store.
      found.set(labels.host, [...(found.get(labels.host) ?? []), ...samples]);
    }
    return found;
  }

  private command(): string[] {
    const program = findProgram(this.kind)!;
    const data = join(this.folder, "data");
    return this.kind === "prometheus"
      ? [
          program,
          `--config.file=${join(this.folder, "prometheus.yml")}`,
          `--storage.tsdb.path=${data}`,
          `--web.listen-address=127.0.0.1:${this.port}`,
          "--web.enable-remote-write-receiver",
        ]
      : [
          program,
          `-httpListenAddr=127.0.0.1:${this.port}`,
          `-storageDataPath=${data}`,
          "-retentionPeriod=10y",
        ];
  }
}

/** Starts one on an empty folder. `config`: lines of Prometheus' own. */
export async function startStore(kind: StoreKind, config = ""): Promise<StoreProcess> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-store-"));
  folders.add(folder);
  writeFileSync(join(folder, "prometheus.yml"), config);
  const store = new StoreProcess(kind, await freePort(), folder);
  await store.start();
  return store;
}

/** For `after`: ends what this file started and removes its folders. */
export async function stopStores(): Promise<void> {
  await Promise.all([...stores].map((store) => store.kill()));
  removeFolders();
}

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.on("exit", () => {
  for (const store of stores) store.killNow();
  removeFolders();
});

async function tryGet(url: string): Promise<string | null> {
  try {
    const response = await fetch(url);
    const text = await response.text();
    return response.ok ? text : null;
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.end);
    const isFree = await new Promise<boolean>((resolve) => {
      const listener = createServer();
      listener.once("error", () => resolve(false));
      listener.listen(port, "127.0.0.1", () => listener.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

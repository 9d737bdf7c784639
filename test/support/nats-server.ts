// NATS servers for tests, as Debian packages them: one, or a cluster of several, JetStream on disk in a temporary folder.
// Each node is a process that can be killed, paused, and started again on its disk and ports. Every test file that starts
// one says `after(stopNatsServers)`; whatever still runs when the test process ends is killed then.
//
// A node keeps its ports for life, also while it is down and others connect around it. So they are taken from below the range
// that the kernel hands out, tried first, and all of them chosen anew where somebody else was quicker. Readiness is asked over
// the monitoring port, which needs no credentials, whatever the clients' port is set to ask for.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../bench/programs.ts";
import { eventually } from "./server-process.ts";

export interface NatsOptions {
  /** Lines of its configuration besides those made here: authorization, tls, max_payload, … */
  readonly config?: string;
  /** Lines inside its `jetstream` block: max_file_store, domain, … */
  readonly jetStream?: string;
  /** Where each node is, for nodes that are not on loopback; as many as there are nodes. */
  readonly places?: readonly NatsPlace[];
}

/** A network of its own, where no port is taken. */
export interface NatsPlace {
  readonly host: string;
  /** Words before the program, which become it: how the place is entered. */
  readonly wrapper: readonly string[];
}

interface Ports {
  readonly client: number;
  readonly route: number;
  readonly monitoring: number;
}

const PROGRAM = findProgram("nats-server");
/** Why there is none here; false where there is one: the form of a test's `skip`. */
export const natsServerMissing: string | false = PROGRAM === null ? "nats-server is not installed" : false;

/** Below the kernel's own range (32,768 and up), where a connection of anybody may take any. */
const PORTS = { first: 20_000, end: 32_000 };
/** In a network of its own. */
const OWN_PORTS: Ports = { client: 4222, route: 6222, monitoring: 8222 };
const START_TRIES_MAX = 5;
/** A leader's election alone takes 4 to 9 s, and the machine may be busy. */
const READY_MS_MAX = 60_000;
const EXIT_MS_MAX = 20_000;
const ASK_MS_MAX = 2_000;

const nodes = new Set<NatsNode>();
const folders = new Set<string>();

export class NatsNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly monitoringPort: number;
  /** What it said so far in this life. */
  said = "";
  isPaused = false;
  private readonly command: readonly string[];
  private child: ChildProcess | null = null;
  private exited: Promise<void> = Promise.resolve();

  constructor(name: string, place: NatsPlace, ports: Ports, configPath: string) {
    this.name = name;
    this.host = place.host;
    this.port = ports.client;
    this.monitoringPort = ports.monitoring;
    this.command = [...place.wrapper, PROGRAM!, "--config", configPath];
  }

  get url(): string {
    return `nats://${this.host}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.child !== null;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Starts it; waits for nothing. */
  start(): void {
    if (this.child !== null) throw new Error(`${this.name} runs already`);
    this.said = "";
    this.isPaused = false;
    const child = spawn(this.command[0]!, this.command.slice(1), {
      env: { PATH: process.env.PATH ?? "" },
      // nats-server 2.9 leaves files of a consumer where it was started when its disk goes away.
      cwd: tmpdir(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    nodes.add(this);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
      });
    }
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        if (this.child === child) this.child = null;
        nodes.delete(this);
        resolve();
      };
      child.once("close", end);
      child.once("error", (error) => {
        this.said += error.message;
        end();
      });
    });
  }

  /** SIGKILL; resolves when the process is gone. Its disk and ports stay its own. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void> {
    return this.end("SIGTERM");
  }

  /** On the disk and the ports that it had, from whatever state; resolves when it answers, which it may before it has caught up. */
  async restart(): Promise<void> {
    await this.kill();
    this.start();
    await eventually(
      () => `${this.name} answers; it said ${this.said.slice(-1_500)}`,
      async () => {
        if (!this.isRunning) throw new Error(`${this.name} ended: ${this.said.slice(-1_500)}`);
        return (await this.ask("/varz")) !== null && (await this.accepts());
      },
      READY_MS_MAX,
    );
  }

  /** SIGSTOP: its connections stay open and nobody answers on them. */
  pause(): void {
    this.child?.kill("SIGSTOP");
    this.isPaused = true;
  }

  resume(): void {
    this.child?.kill("SIGCONT");
    this.isPaused = false;
  }

  /** What the monitoring port says as JSON; null where it says nothing, or is not this node's. */
  async ask(path: string): Promise<Record<string, unknown> | null> {
    if (!this.isRunning || this.isPaused) return null;
    try {
      const answer = await fetch(`http://${this.host}:${this.monitoringPort}${path}`, {
        signal: AbortSignal.timeout(ASK_MS_MAX),
        headers: { Connection: "close" },
      });
      return (await answer.json()) as Record<string, unknown>;
    } catch {
      return null;
    }
  }

  /** Whether its clients' port takes a connection: it opens that last, when the monitoring port has answered for a while. */
  private accepts(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.port, this.host);
      const end = (isOpen: boolean): void => {
        socket.destroy();
        resolve(isOpen);
      };
      socket.setTimeout(ASK_MS_MAX, () => end(false));
      socket.once("connect", () => end(true)).once("error", () => end(false));
    });
  }

  signalNow(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child === null) return;
    this.resume();
    this.child.kill(signal);
    const timer = setTimeout(() => this.child?.kill("SIGKILL"), EXIT_MS_MAX);
    await this.exited;
    clearTimeout(timer);
  }
}

export class NatsCluster {
  readonly nodes: readonly NatsNode[];
  /** What the last look found wrong, and what that node said. */
  private trouble = "";

  constructor(members: readonly NatsNode[]) {
    this.nodes = members;
  }

  /** All its servers, as the commands take them: nats://a:p,nats://b:p,… */
  get url(): string {
    return this.nodes.map(({ url }) => url).join(",");
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url);
  }

  named(name: string): NatsNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  /** Every node of it runs, knows the same leader of JetStream, and has caught up. Under load a node seldom has. */
  async waitReady(msMax = READY_MS_MAX): Promise<void> {
    await this.waitJoined(msMax);
    await this.wait("have caught up", msMax, async () => {
      for (const node of this.nodes) {
        const health = await node.ask("/healthz");
        if (health?.status !== "ok") return this.because(node, JSON.stringify(health));
      }
      return true;
    });
  }

  /** Every node of it runs and knows the same leader of JetStream, and that one knows them all. */
  async waitJoined(msMax = READY_MS_MAX): Promise<void> {
    await this.wait("know one leader", msMax, async () => {
      const leaders = new Set<unknown>();
      for (const node of this.nodes) {
        const jetStream = await node.ask("/jsz");
        if (jetStream === null) return this.because(node, "does not answer");
        if (this.nodes.length === 1) return true;
        const { leader, cluster_size = 0, replicas = [] } = (jetStream.meta_cluster ?? {}) as MetaCluster;
        if (leader === undefined || cluster_size !== this.nodes.length)
          return this.because(node, "has no leader");
        const inTouch = replicas.filter(({ current, offline }) => current && offline !== true).length;
        if (leader === node.name && inTouch !== this.nodes.length - 1)
          return this.because(node, `leads and has ${inTouch} others`);
        leaders.add(leader);
      }
      return leaders.size === 1;
    });
  }

  /** Fails at once where a node has ended. */
  private async wait(what: string, msMax: number, condition: () => Promise<boolean>): Promise<void> {
    await eventually(
      () => `all ${this.nodes.length} nodes of the cluster ${what}; ${this.trouble}`,
      () => {
        const dead = this.nodes.find((node) => !node.isRunning);
        if (dead !== undefined) throw new Error(`${dead.name} does not run: ${dead.said.slice(-1_500)}`);
        return condition();
      },
      msMax,
    );
  }

  private because(node: NatsNode, what: string): false {
    this.trouble = `${node.name} ${what}; it said\n${node.said.slice(-3_000)}`;
    return false;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

/** The part of /jsz that tells how the nodes see each other. */
interface MetaCluster {
  readonly leader?: string;
  readonly cluster_size?: number;
  readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
}

/** One server, which answers when this resolves. */
export async function startNatsServer(options: NatsOptions = {}): Promise<NatsNode> {
  return (await startNatsCluster(1, options)).nodes[0]!;
}

/** `count` servers that are one cluster, and ready when this resolves. */
export async function startNatsCluster(count: number, options: NatsOptions = {}): Promise<NatsCluster> {
  const tried: string[] = [];
  for (let attempt = 0; attempt < START_TRIES_MAX; attempt++) {
    const cluster = await layOut(count, options);
    for (const node of cluster.nodes) node.start();
    try {
      await cluster.waitReady();
      return cluster;
    } catch (error) {
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      const said = cluster.nodes.map((node) => node.said).join("\n");
      tried.push(String(error), said);
      if (!/address already in use/.test(said)) break;
    }
  }
  throw new Error(`no NATS cluster of ${count} could be started: ${tried.join("\n").slice(-5_000)}`);
}

/** The folders and configurations of a new cluster. */
async function layOut(count: number, options: NatsOptions): Promise<NatsCluster> {
  const loopback: NatsPlace = { host: "127.0.0.1", wrapper: [] };
  const folder = mkdtempSync(join(tmpdir(), "tidemark-nats-"));
  folders.add(folder);
  const cluster = randomBytes(4).toString("hex");
  const members: { name: string; place: NatsPlace; ports: Ports }[] = [];
  for (let index = 0; index < count; index++) {
    const place = options.places?.[index] ?? loopback;
    const ports = place === loopback ? await freePorts() : OWN_PORTS;
    members.push({ name: `n${index + 1}-${cluster}`, place, ports });
  }
  const routes = members.map(({ place, ports }) => `"nats://${place.host}:${ports.route}"`).join(", ");
  return new NatsCluster(
    members.map(({ name, place, ports }) => {
      const lines = [
        `server_name: "${name}"`,
        `listen: "${place.host}:${ports.client}"`,
        `http: "${place.host}:${ports.monitoring}"`,
        `jetstream { store_dir: "${join(folder, name)}"\n${options.jetStream ?? ""} }`,
        count === 1
          ? ""
          : `cluster { name: "${cluster}", listen: "${place.host}:${ports.route}", routes: [${routes}] }`,
        options.config ?? "",
      ];
      mkdirSync(join(folder, name));
      const configPath = join(folder, `${name}.conf`);
      writeFileSync(configPath, `${lines.join("\n")}\n`);
      return new NatsNode(name, place, ports, configPath);
    }),
  );
}

async function freePorts(): Promise<Ports> {
  return { client: await freePort(), route: await freePort(), monitoring: await freePort() };
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.end);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once("error", () => resolve(false));
    listener.listen(port, "127.0.0.1", () => listener.close(() => resolve(true)));
  });
}

/** For `after`: ends what this file started and removes its folders. */
export async function stopNatsServers(): Promise<void> {
  await Promise.all([...nodes].map((node) => node.kill()));
  removeFolders();
}

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.on("exit", () => {
  for (const node of nodes) node.signalNow("SIGKILL");
  removeFolders();
});

// What a scenario measures: something that can be started in an empty folder, and how to send it a batch.
import type { ChildProcess } from "node:child_process";
import { connect, createServer } from "node:net";
import { stopChild } from "./pinned.ts";
import type { Metric } from "./workload.ts";

export interface Contender {
  readonly id: string;
  readonly label: string;
  /** Request target that takes a batch. */
  readonly target: string;
  readonly contentType: string;
  encode(batch: readonly Metric[]): string;
  /** Why it cannot run here, for a person; null where it can. */
  missing(): string | null;
  /** Resolves once it answers. The caller owns the folder and stops the server. */
  start(folder: string): Promise<RunningServer>;
}

export interface RunningServer {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Starts, lends to `use`, and stops whatever happened. */
export async function withServer<T>(
  contender: Contender,
  folder: string,
  use: (server: RunningServer) => Promise<T>,
): Promise<T> {
  const server = await contender.start(folder);
  try {
    return await use(server);
  } finally {
    await stopChild(server.child);
  }
}

/** A port that was free a moment ago; for rivals that cannot be told to choose and say. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Polls until the port takes connections, the child ends, or ten seconds have passed. */
export async function awaitListening(child: ChildProcess, port: number, name: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null)
      throw new Error(`cannot start ${name} because it ended with ${child.exitCode}`);
    if (performance.now() > deadline) {
      await stopChild(child);
      throw new Error(`cannot start ${name} because it did not listen within 10 s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

// Breaks one ingest thread of a running server: there is no public way to, and the program shall have none for the tests'
// sake. A module loaded before the program puts another file in the place of the thread's own, which does what the order
// says and is otherwise the same thread. Orders come as lines of a file, read when the process gets SIGUSR2.
//
//   breakThread() ─▶ file, SIGUSR2 ─▶ main thread (breakable-preload.ts) ─▶ message ─▶ breakable-ingest.worker.ts

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newDataFolder, type ServerProcess, type StartOptions, startServer } from "./server-process.ts";

/** An error that nobody catches; gone between two instructions; alive and busy for ever; a heap that only grows (Node). */
export type ThreadFault = "throw" | "terminate" | "spin" | "oom";

const PRELOAD = fileURLToPath(new URL("./breakable-preload.ts", import.meta.url));

/** As startServer, for a server whose threads breakThread() can break. */
export function startBreakableServer(
  flags: readonly string[] = [],
  options: StartOptions = {},
): Promise<ServerProcess> {
  const data = options.data ?? newDataFolder();
  return startServer(flags, {
    ...options,
    data,
    runtimeFlags: ["--import", PRELOAD, ...(options.runtimeFlags ?? [])],
    environment: { ...options.environment, TIDEMARK_TEST_ORDERS: ordersFile(data) },
  });
}

/**
 * The order is on its way when this returns; what comes of it shows in the server's log and /stats. The first `heirs` of
 * the threads that take its place are ended while they start.
 */
export function breakThread(server: ServerProcess, thread: number, fault: ThreadFault, heirs = 0): void {
  writeFileSync(ordersFile(server.data), `${thread} ${fault} ${heirs}\n`);
  server.signal("SIGUSR2");
}

function ordersFile(data: string): string {
  return `${data}-orders`;
}

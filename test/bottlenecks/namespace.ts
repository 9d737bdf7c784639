// A server in a network name space of its own, with settings of the kernel's that hold there only. The name space is the
// process's: it goes when the process does. Whoever wants to reach the server has to enter it.

import { type ServerProcess, startServer } from "../support/server-process.ts";

/** Starts `serve` where `settings` (paths below /proc/sys, and values) hold. */
export function startInNamespace(
  settings: Readonly<Record<string, string>>,
  flags: readonly string[],
): Promise<ServerProcess> {
  const lines = Object.entries(settings).map(([path, value]) => `echo '${value}' > /proc/sys/${path}`);
  const script = ["ip link set lo up", ...lines, 'exec "$@"'].join(" && ");
  return startServer(flags, { wrapper: ["unshare", "-n", "sh", "-c", script, "sh"] });
}

/** Words before a command that shall run in the name space of that process. */
export function insideOf(server: ServerProcess): readonly string[] {
  return ["nsenter", "-t", `${server.child.pid}`, "-n"];
}

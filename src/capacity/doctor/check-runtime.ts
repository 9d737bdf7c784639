// The runtime that runs this, the other one if it is there, the kernel, and whether the default port is taken.

import { type Finding, finding, unknown } from "./finding.ts";
import type { Machine } from "./machine.ts";

export interface Runtime {
  readonly name: "Bun" | "Node";
  readonly version: string;
}

/** As scripts/runtime.sh looks for them. */
const LEAST: Readonly<Record<Runtime["name"], string>> = { Bun: "1.4", Node: "24" };
/** From here on several sockets may listen on one port, and the kernel spreads connections over them. */
const KERNEL_REUSE_PORT = "3.9";

export type PortAnswer = "listening" | "free" | "unknown";

export function checkRuntime(machine: Machine, own: Runtime): Finding {
  const other = own.name === "Bun" ? "Node" : "Bun";
  const told = machine.run(other.toLowerCase(), ["--version"])?.trim().replace(/^v/, "") ?? null;
  const isNewEnough = isAtLeast(own.version, LEAST[own.name]);
  const otherText =
    told === null
      ? `${other} is not in the PATH`
      : `${other} ${told} in the PATH${isAtLeast(told, LEAST[other]) ? "" : ` (too old: ${LEAST[other]} is the least)`}`;
  return finding(
    "runtime",
    isNewEnough ? "ok" : "bad",
    `${own.name} ${own.version}; ${otherText}`,
    isNewEnough
      ? `new enough: Bun from ${LEAST.Bun} on, Node from ${LEAST.Node} on`
      : `too old: ${own.name} ${LEAST[own.name]} is the least that the server runs on`,
    {
      mend: isNewEnough
        ? null
        : { linux: [{ when: "now", command: "npm ci" }], macos: [{ when: "now", command: "npm ci" }] },
    },
  );
}

/** `release` is the kernel's, as uname -r. */
export function checkKernel(machine: Machine, release: string): Finding {
  const id = "kernel";
  if (machine.platform === "macos") {
    return finding(
      id,
      "warn",
      `Darwin ${release}`,
      "several threads may listen on one port, but one of them gets all the connections",
      { mend: { linux: [], macos: [{ when: "now", command: "tidemark serve --threads 1" }] } },
    );
  }
  if (machine.platform === "other")
    return unknown(id, "neither Linux nor macOS: nothing here was tried on it");
  const isBalanced = isAtLeast(release, KERNEL_REUSE_PORT);
  return finding(
    id,
    isBalanced ? "ok" : "bad",
    `Linux ${release}`,
    isBalanced
      ? "SO_REUSEPORT: each thread has a listening socket, and connections are spread over them"
      : `before ${KERNEL_REUSE_PORT} only one socket may listen on a port: only --threads 1 starts`,
  );
}

export function checkPort(port: number, answer: PortAnswer): Finding {
  const id = `port ${port}`;
  if (answer === "unknown") return unknown(id, "127.0.0.1 did not answer in time");
  return answer === "listening"
    ? finding(
        id,
        "ok",
        "something listens there",
        "tidemark serve needs another --port, unless it is what listens",
      )
    : finding(id, "ok", "free", "tidemark serve can have it");
}

/** Compares as many parts as `least` has. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of least.split(".").map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

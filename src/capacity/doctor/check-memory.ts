// Memory: what there is, what this process may have of it, and what a server with default settings takes.
//
// Left out: transparent huge pages. They hurt stores that fork or that touch their memory sparsely; the server's large
// blocks are a few lane buffers, written from end to end, which huge pages suit. Swap matters only as a place to stall.

import { LANE_BUFFER_BYTES, MEMORY_BYTES_MAX_DEFAULT } from "../../limits.ts";
import { readMemoryLimit } from "./cgroup.ts";
import { type Finding, finding, judgeConnections, type Mend, unknown, type Wish } from "./finding.ts";
import { type Machine, readNumber, readSysctl } from "./machine.ts";
import { formatBytes, formatCount } from "./quantity.ts";

/** Of a server with two threads that has just started: 66 MiB on Bun 1.4.5, 158 MiB on Node 24.21 (measured). */
const START_BYTES = 160 * 1024 * 1024;
/** Of a connection that has sent a request and is kept: 4 KB of the server's (measured at 5,000), the kernel's sockets. */
export const CONNECTION_BYTES = 8 * 1024;
const SWAP_USED_WARN = 0.25;

export interface MemoryFigures {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

export function checkMemory(machine: Machine, wish: Wish, threads: number): Finding {
  const id = "memory";
  const figures =
    machine.platform === "macos" ? readMacos(machine) : parseMeminfo(machine.readText("/proc/meminfo"));
  if (figures === null) return unknown(id, "neither /proc/meminfo nor sysctl tells it");
  const limit = readMemoryLimit(machine)?.amount ?? Number.POSITIVE_INFINITY;
  const isStrict = readNumber(machine, "/proc/sys/vm/overcommit_memory") === 2;
  const available = Math.min(figures.availableBytes, limit);
  const needed = START_BYTES + MEMORY_BYTES_MAX_DEFAULT + threads * 2 * LANE_BUFFER_BYTES;
  const connections = Math.max(0, (available - needed) / CONNECTION_BYTES);
  const swapUsed = figures.swapTotalBytes === 0 ? 0 : 1 - figures.swapFreeBytes / figures.swapTotalBytes;
  // macOS swaps what is idle as a matter of course.
  const isSwapping = machine.platform !== "macos" && swapUsed >= SWAP_USED_WARN;
  const means = [
    `${formatBytes(needed)} for a server with its defaults, the rest for ${connections < 1 ? "no" : formatCount(connections)} connections of ${formatBytes(CONNECTION_BYTES)}`,
  ];
  if (isStrict) means.push("vm.overcommit_memory 2 refuses the address space that runtimes reserve");
  if (isSwapping) means.push("swap is in use: a page read back stalls a thread for milliseconds");
  const verdict = judgeConnections(connections, wish);
  const isFine = verdict === "ok" && !isStrict && !isSwapping;
  return finding(
    id,
    isFine ? "ok" : verdict === "bad" ? "bad" : "warn",
    `${formatBytes(figures.availableBytes)} available of ${formatBytes(figures.totalBytes)}` +
      (Number.isFinite(limit) ? `, limited to ${formatBytes(limit)}` : "") +
      (figures.swapTotalBytes === 0 ? ", no swap" : `, swap ${formatBytes(figures.swapTotalBytes)}`),
    means.join("; "),
    {
      mend: isFine
        ? null
        : mendMemory(verdict !== "ok", limit < figures.availableBytes, isStrict, needed * 2),
      bounds: [{ kind: "connections", amount: Math.floor(connections) }],
      figures: {
        total_bytes: figures.totalBytes,
        available_bytes: figures.availableBytes,
        limit_bytes: limit,
        needed_bytes: needed,
      },
    },
  );
}

function mendMemory(isShort: boolean, isLimited: boolean, isStrict: boolean, want: number): Mend {
  const mib = Math.ceil(want / 1024 ** 2);
  const less = { when: "now", command: "tidemark serve --memory-max 64MiB --threads 1" } as const;
  return {
    linux: [
      ...(isStrict ? [{ when: "now", command: "sudo sysctl vm.overcommit_memory=0" } as const] : []),
      ...(isLimited
        ? [
            {
              when: "in a container",
              command: `docker update --memory ${mib}m --memory-swap ${mib}m CONTAINER`,
            } as const,
            {
              when: "as a service",
              command: `sudo systemctl set-property tidemark MemoryMax=${mib}M`,
            } as const,
          ]
        : []),
      ...(isShort ? [less] : []),
      ...(!isShort && !isStrict ? [{ when: "now", command: "sudo sysctl vm.swappiness=1" } as const] : []),
    ],
    macos: [less],
  };
}

/** /proc/meminfo, in bytes. Null where it has no MemAvailable (Linux before 3.14). */
export function parseMeminfo(text: string | null): MemoryFigures | null {
  const row = (key: string): number => {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text ?? "");
    return match === null ? Number.NaN : Number(match[1]) * 1024;
  };
  const figures = {
    totalBytes: row("MemTotal"),
    availableBytes: row("MemAvailable"),
    swapTotalBytes: row("SwapTotal") || 0,
    swapFreeBytes: row("SwapFree") || 0,
  };
  return Number.isNaN(figures.totalBytes) || Number.isNaN(figures.availableBytes) ? null : figures;
}

/** hw.memsize; vm_stat's free, inactive and speculative pages; vm.swapusage "total = 2048.00M  used = 1.00M …". */
function readMacos(machine: Machine): MemoryFigures | null {
  const totalBytes = readSysctl(machine, "hw.memsize");
  const pages = machine.run("vm_stat", []);
  const pageBytes = Number(/page size of (\d+) bytes/.exec(pages ?? "")?.[1]);
  if (!Number.isFinite(totalBytes) || !Number.isFinite(pageBytes)) return null;
  const count = (name: string): number =>
    Number(new RegExp(`^Pages ${name}:\\s+(\\d+)`, "m").exec(pages!)?.[1] ?? 0);
  const swap = machine.run("sysctl", ["-n", "vm.swapusage"]) ?? "";
  const mib = (name: string): number =>
    Number(new RegExp(`${name} = ([\\d.]+)M`).exec(swap)?.[1] ?? 0) * 1024 ** 2;
  return {
    totalBytes,
    availableBytes: (count("free") + count("inactive") + count("speculative")) * pageBytes,
    swapTotalBytes: mib("total"),
    swapFreeBytes: mib("free"),
  };
}

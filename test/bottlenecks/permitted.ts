// What this machine lets a test do: name spaces, control groups, tracing, pinning. Each question is asked once, by doing
// the thing to a process that ends at once; the answer is the reason for a skip, or null where it is permitted.

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { findProgram } from "../../bench/programs.ts";

const answers = new Map<string, string | null>();

/** Why a new network name space with a loopback of its own cannot be had. */
export function withoutNetworkNamespace(): string | null {
  return ask("network name space", ["unshare", "-n", "ip", "link", "set", "lo", "up"]);
}

export function withoutMountNamespace(): string | null {
  return ask("mount name space", ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
}

export function withoutTracing(): string | null {
  const words = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync"];
  return ask("system call tracing", ["strace", ...words, "true"]);
}

export function withoutDescriptorLimits(): string | null {
  return ask("descriptor limit", ["prlimit", "--nofile=128:128", "true"]);
}

/** Two cores, and the means to say which process uses which. */
export function withoutPinning(): string | null {
  if (availableParallelism() < 2) return "it takes two cores";
  return ask("pinning to a core", ["taskset", "-c", "1", "true"]);
}

export function without(program: string): string | null {
  return findProgram(program) === null ? `${program} is not installed` : null;
}

function ask(what: string, command: readonly string[]): string | null {
  const known = answers.get(what);
  if (known !== undefined) return known;
  const program = findProgram(command[0]!);
  const reason =
    program === null ? `${command[0]} is not installed` : refusalOf(what, program, command.slice(1));
  answers.set(what, reason);
  return reason;
}

function refusalOf(what: string, program: string, words: readonly string[]): string | null {
  const run = spawnSync(program, words, { encoding: "utf8", timeout: 10_000 });
  return run.status === 0
    ? null
    : `no ${what} here: ${run.stderr.trim().split("\n")[0] || `exit ${run.status}`}`;
}

// What a result was measured on: without it a figure means nothing to the next reader.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { CORES } from "./pinned.ts";
import { findProgram, findRuntime } from "./programs.ts";

export interface MachineRecord {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Which core the server had and which the load; null where the machine has one core and nothing was pinned. */
  readonly pinning: { readonly server: number; readonly load: number } | null;
  /** By program; null where it is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
  /** The commit measured, with "+" where the tree had changes. */
  readonly commit: string | null;
}

export function readMachine(projectFolder: string): MachineRecord {
  return {
    processor: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    memoryBytes: os.totalmem(),
    kernel: os.release(),
    pinning: CORES,
    versions: {
      bun: firstMatch(findRuntime("bun", projectFolder), ["--version"], /(\S+)/),
      node: firstMatch(findRuntime("node", projectFolder), ["--version"], /v(\S+)/),
      nginx: firstMatch(findProgram("nginx"), ["-v"], /nginx\/(\S+)/),
      "victoria-metrics":
        firstMatch(findProgram("victoria-metrics"), ["-version"], /(\d+\.\d+\.\d+)/) ??
        debianVersion("victoria-metrics"),
      fastify: packageVersion(join(projectFolder, "bench/node_modules/fastify/package.json")),
      wrk: firstMatch(findProgram("wrk"), ["-v"], /(\d+\.\d+\.\d+)/),
    },
    commit: readCommit(projectFolder),
  };
}

function firstMatch(program: string | null, args: readonly string[], pattern: RegExp): string | null {
  if (program === null) return null;
  // nginx says its version on stderr and wrk exits 1 with its own, so both streams count and the code does not.
  const command = `"$0" "$@" 2>&1 || true`;
  const text = execFileSync("sh", ["-c", command, program, ...args], { encoding: "utf8" });
  return pattern.exec(text)?.[1] ?? null;
}

function debianVersion(name: string): string | null {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format, not ours
    const args = ["-W", "-f=${Version}", name];
    return execFileSync("dpkg-query", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return null;
  }
}

function packageVersion(path: string): string | null {
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function readCommit(folder: string): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", folder, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    return (
      git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "--", "src") === "" ? "" : "+")
    );
  } catch {
    return null;
  }
}

// The seam to the machine: the only way by which the doctor's checks learn what it is set to. It reads files and asks
// programs that only print; nothing here changes anything. Answers are null where there is no such file or program, it
// fails, or it takes too long. Tests put recorded texts in its place (machine-bed.ts).

import { spawnSync } from "node:child_process";
import { openOsFiles, TEXT_BYTES_MAX } from "../../base/os-files.ts";
import { parseNumber } from "../../base/proc-texts.ts";

export type Platform = "linux" | "macos" | "other";

export interface Machine {
  readonly platform: Platform;
  readText(path: string): string | null;
  list(path: string): readonly string[] | null;
  /** What a program prints when it ends well. */
  run(program: string, words: readonly string[]): string | null;
}

/** timedatectl waits 25 s for a bus that does not answer. */
const PROGRAM_MS_MAX = 2_000;
/** Where sysctl is; not every shell looks there. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin";

export function openMachine(): Machine {
  const files = openOsFiles();
  const path = process.env.PATH === undefined ? SYSTEM_FOLDERS : `${process.env.PATH}:${SYSTEM_FOLDERS}`;
  return {
    platform: platformOf(process.platform),
    readText: (file) => files.readText(file, TEXT_BYTES_MAX),
    list: (folder) => files.list(folder),
    run: (program, words) => {
      const child = spawnSync(program, words, {
        encoding: "latin1",
        env: { ...process.env, PATH: path, LC_ALL: "C" },
        stdio: ["ignore", "pipe", "ignore"],
        timeout: PROGRAM_MS_MAX,
      });
      return child.status === 0 ? child.stdout : null;
    },
  };
}

export function platformOf(name: string): Platform {
  if (name === "linux") return "linux";
  return name === "darwin" ? "macos" : "other";
}

/** A file of /proc or /sys that holds one number; NaN where it does not. */
export function readNumber(machine: Machine, path: string): number {
  return parseNumber(machine.readText(path));
}

/** macOS's settings: `sysctl -n NAME`; NaN where there is none of that name. */
export function readSysctl(machine: Machine, name: string): number {
  return parseNumber(machine.run("sysctl", ["-n", name]));
}

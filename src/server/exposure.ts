// What other users of the machine could read of this server's secrets and of what it stores: said at start, once, as
// warnings. The operator may have reasons (a group that reads the log), so nothing is refused and no mode is changed.

import { statSync } from "node:fs";
import type { ServeConfig } from "../config.ts";

/** Where the settings came from, as far as it matters who else can see it. */
export interface SettingsOrigin {
  /** "" where there is none. */
  readonly configPath: string;
  readonly hasTokenFlags: boolean;
}

const READABLE_BY_GROUP = 0o040;
const READABLE_BY_OTHERS = 0o004;

/** One line each. `dataFolder` is there already. */
export function exposureWarnings(
  config: ServeConfig,
  origin: SettingsOrigin,
  dataFolder: string,
  modeOf: (path: string) => number | null = modeOnDisk,
): string[] {
  const warnings: string[] = [];
  if (origin.hasTokenFlags) {
    warnings.push(
      "tokens were given as flags, which other users of this machine can read; TIDEMARK_TOKEN or --config keeps them to this user",
    );
  }
  const look = (what: string, path: string, mode: string): void => {
    const readers = readersBy(modeOf(path) ?? 0);
    if (readers !== "")
      warnings.push(`${what} ${path} can be read by ${readers}; chmod ${mode} keeps it to this user`);
  };
  if (origin.configPath !== "" && config.tokens.length > 0)
    look("the file with the tokens", origin.configPath, "600");
  if (config.tlsKeyPath !== "") look("the TLS key", config.tlsKeyPath, "600");
  look("the data folder", dataFolder, "700");
  return warnings;
}

function readersBy(mode: number): string {
  if ((mode & READABLE_BY_OTHERS) !== 0) return "everybody";
  return (mode & READABLE_BY_GROUP) !== 0 ? "its group" : "";
}

function modeOnDisk(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? null;
}

// What is known of the target before any load: where it is, which process it is, what it says it is. Cold.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { openOsFiles, type ProcFiles } from "../../base/os-files.ts";
import { TidemarkError } from "../../errors.ts";
import type { TargetFacts } from "../level.ts";
import { findPidOfPort, listensOnPort } from "./port-owner.ts";
import { findProcessTree } from "./process-tree.ts";
import { detectTarget, unreachable } from "./stats-reader.ts";

export interface FoundTarget extends TargetFacts {
  /** What could not be found out, or does not fit together, in words. */
  readonly missing: readonly string[];
}

/**
 * Without a pid, that of a local target is looked for. Throws TidemarkError where nothing answers at the URL, and where
 * there is no process of that pid. A pid that does not listen on the port is a warning in `missing`.
 */
export async function findTargetFacts(
  url: string,
  pid: number | null,
  isOwn: boolean,
  files: ProcFiles = openOsFiles(),
): Promise<FoundTarget> {
  const { hostname, port: portText, protocol } = parseUrl(url);
  if (protocol !== "http:")
    throw new TidemarkError(`cannot load ${url} because only http is spoken; try an http:// address`, 2);
  if (pid !== null && !isThere(pid))
    throw new TidemarkError(
      `cannot watch process ${pid} because there is none; try --pid with the server's own`,
      2,
    );
  const addresses = await addressesOf(url, hostname.replace(/^\[|\]$/g, ""));
  const said = await detectTarget(url);
  const own = ownAddresses();
  const isLocal = addresses.every((address) => own.has(address) || isLoopbackAddress(address));
  const port = portText === "" ? 80 : Number(portText);
  const missing: string[] = [];
  if (pid !== null && listensOnPort(files, findProcessTree(files, pid), port) === false)
    missing.push(
      `process ${pid} does not listen on port ${port}: what is said of the target's process may be of another`,
    );
  return {
    url,
    isOwn,
    isLocal,
    isLoopback: addresses.every(isLoopbackAddress),
    pid: pid ?? (isLocal ? findPidOfPort(port, files) : null),
    ...said,
    missing,
  };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new TidemarkError(
      `cannot read the address '${url}'; write for example http://127.0.0.1:8080/metrics`,
      2,
    );
  }
}

async function addressesOf(url: string, host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw unreachable(url, (error as NodeJS.ErrnoException).code ?? "a failed look-up of its name");
  }
}

function ownAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address)),
  );
}

function isLoopbackAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it is another user's
  }
}

// From a URL's host to the one address that all connections go to: looked up once, so that no connection waits for a name.
// A name may have several addresses of which the target listens on one ("localhost" is ::1 and 127.0.0.1): the first that
// takes a connection is it, and where none does the first, so that the run shows the refusals.

import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { TidemarkError } from "../../errors.ts";

const TRY_MS_MAX = 2_000;

/** Throws TidemarkError where the name has no address. */
export async function findAddress(host: string, port: number): Promise<string> {
  if (isIP(host) !== 0) return host;
  const addresses = await lookUp(host);
  if (addresses.length > 1) {
    for (const address of addresses) if (await takesConnections(address, port)) return address;
  }
  return addresses[0]!;
}

async function lookUp(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new TidemarkError(
      `cannot send to ${host} because its name was not found (${code}); try its address`,
    );
  }
}

function takesConnections(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: TRY_MS_MAX });
    const end = (isTaken: boolean) => () => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}

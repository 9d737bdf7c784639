// Chooses the side of the seam that fits the runtime; only that one is ever loaded, and TLS only where it is spoken.

import type { Listener, ListenOptions } from "./transport.ts";

/**
 * Opens a listening socket with SO_REUSEPORT, so that each thread can have its own on one port.
 * Rejects with the system's error (EADDRINUSE, EACCES, …) as its `code`.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const side = process.versions.bun === undefined ? await import("./node.ts") : await import("./bun.ts");
  if (options.tls === undefined) return side.listen(options, null);
  const { TlsGate } = await import("./tls.ts");
  return side.listen(options, new TlsGate(options, options.tls));
}

// Chooses the side of the seam that fits the runtime, for connections that we ask for; only that one is ever loaded.

import type { Connect } from "./transport.ts";

/** Each thread loads its own: on Node all its connections read into one buffer. */
export async function loadConnect(): Promise<Connect> {
  const side = process.versions.bun === undefined ? await import("./node.ts") : await import("./bun.ts");
  return side.openConnect();
}

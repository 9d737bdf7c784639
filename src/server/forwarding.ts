// `serve --forward`: what the main thread does for the thread that forwards the log. Loaded only where it is asked for, as all of
// forward/ is.

import type { ServeConfig } from "../config.ts";
import { CursorFile } from "../follow/cursor-file.ts";
import { realFiles } from "../log/files.ts";
import { allocateForwardFigures } from "../telemetry/forward-figures.layout.ts";
import { FollowerThread, type FollowerThreadOptions } from "./follower-thread.ts";
import { forwardSettingsOf } from "./forward-config.ts";
import { lockForwarder } from "./forward-lock.ts";

export interface Forwarding {
  readonly thread: FollowerThread;
  /** What the thread tells of itself. */
  readonly figures: SharedArrayBuffer;
  /** Gives the name back. */
  release(): void;
}

/** Looks at the settings and takes the name; the thread is the caller's to start. Throws TidemarkError. */
export async function openForwarding(
  config: ServeConfig,
  dataFolder: string,
  log: FollowerThreadOptions["log"],
): Promise<Forwarding> {
  // The thread reads them for itself; here they are told to be wrong before anything has begun.
  forwardSettingsOf(config);
  const lock = await lockForwarder(dataFolder, config.forwardName);
  // As with the settings: a file that is none is told now.
  new CursorFile(realFiles, dataFolder, `forward-${config.forwardName}`);
  const figures = allocateForwardFigures();
  const thread = new FollowerThread({ does: "forwards", settings: { config, dataFolder, figures }, log });
  return { thread, figures, release: () => lock.release() };
}

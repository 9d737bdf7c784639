// What happens to the drains: a store must have everything once, whoever wrote it.

import { oneOf } from "../../crash/random.ts";
import { eventually } from "../../support/server-process.ts";
import type { Bed } from "../bed.ts";
import type { DrainNode } from "../drain-node.ts";
import type { Fault } from "../fault.ts";

const DRAINS_MIN = 2;
/** A lease has to run out first. */
const TAKEN_OVER_MS_MAX = 120_000;

export const DRAIN_KILL: Fault = {
  name: "drain-kill",
  what: "a drain killed with SIGKILL in the middle of a block, and back on its store",
  injected: "kill(2) as soon as its store has grown",
  promise: "drained",
  async run(bed) {
    const { drain } = await bed.drainAtWork();
    await drain.kill();
    await bed.load(0, 5_000);
    await drain.start();
  },
};

export const DRAIN_KILL_ALL: Fault = {
  name: "drain-kill-all",
  what: "all drains killed with SIGKILL at once, and back on their stores",
  injected: "kill(2) to all",
  promise: "drained",
  async run(bed) {
    const { liveDrains } = bed;
    await Promise.all(liveDrains.map((drain) => drain.kill()));
    await bed.load(0, 5_000);
    await Promise.all(liveDrains.map((drain) => drain.start()));
  },
};

export const DRAIN_PAUSE: Fault = {
  name: "drain-pause",
  what: "a drain paused in the middle of a block until another has taken over, and going on as if nothing had been",
  injected:
    "SIGSTOP as soon as its store has grown, SIGCONT when others have stored lines of the same partitions",
  promise: "drained",
  async run(bed) {
    const { drain, partitions } = await bed.drainAtWork();
    drain.pause();
    await takenOver(bed, drain, partitions);
    drain.resume();
  },
};

export const DRAIN_ADD: Fault = {
  name: "drain-add",
  what: "one drain more",
  injected: "started with a store of its own",
  promise: "drained",
  async run(bed) {
    const idle = bed.drains.find(({ isRunning }) => !isRunning);
    if (idle !== undefined) await idle.start();
    else await bed.addDrain();
  },
};

export const DRAIN_REMOVE: Fault = {
  name: "drain-remove",
  what: "one drain fewer, stopped in good order",
  injected: "SIGTERM under load, with another beside it",
  promise: "drained",
  async run(bed) {
    if (bed.liveDrains.length <= DRAINS_MIN) await DRAIN_ADD.run(bed);
    await anyOf(bed).term();
  },
};

function anyOf(bed: Bed): DrainNode {
  return oneOf(bed.random, bed.liveDrains);
}

/** Others have stored something of each of these partitions since. */
async function takenOver(bed: Bed, paused: DrainNode, partitions: readonly number[]): Promise<void> {
  const before = storedByOthers(bed, paused);
  await eventually(
    () =>
      `others take over the partitions ${partitions} of a drain that is paused; they said ${bed.drainsSaid}`,
    () => {
      const now = storedByOthers(bed, paused);
      return partitions.every((partition) => (now.get(partition) ?? 0) > (before.get(partition) ?? 0));
    },
    TAKEN_OVER_MS_MAX,
  );
}

function storedByOthers(bed: Bed, paused: DrainNode): Map<number, number> {
  const stored = new Map<number, number>();
  for (const drain of bed.drains) {
    if (drain === paused) continue;
    for (const [lane, bytes] of drain.bytes()) stored.set(lane, (stored.get(lane) ?? 0) + bytes);
  }
  return stored;
}

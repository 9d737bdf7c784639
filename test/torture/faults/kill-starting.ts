import { pause } from "../../support/server-process.ts";
import type { Fault } from "../fault.ts";

/** From birth to the first kill, milliseconds: the runtime is hardly there. */
const FIRST_MS = 40;
/** Each process after it lives so many times longer: the last ones have recovered some lanes, or listen. */
const LONGER = 1.6;

/** A start is killed, and the next one, each a little later: what recovery left half done the next recovery finds. */
export const KILL_STARTING: Fault = {
  name: "kill while starting",
  what: "SIGKILL under load, then again and again while it starts and recovers, each a little later",
  injected: "kill(2), 40 ms and up to 700 ms after each process was born",
  promise: "written",
  async run(bed) {
    await bed.load(100, 400);
    await bed.kill();
    const kills = bed.between(2, 7);
    for (let kill = 0; kill < kills; kill++) {
      const server = bed.spawn();
      await pause(FIRST_MS * LONGER ** kill * (0.8 + 0.4 * bed.random()));
      await server.kill();
    }
    await bed.start();
  },
};

import assert from "node:assert/strict";
import { pause } from "../../support/server-process.ts";
import { tail } from "../bed.ts";
import type { Fault } from "../fault.ts";

/** The whole process stands still, as on a machine that is paused or swaps: nobody in it may take that for a dead thread. */
export const STOP: Fault = {
  name: "stop",
  what: "SIGSTOP for 1 to 5 s, then SIGCONT",
  injected: "kill(2) from the clients' process",
  promise: "thread",
  async run(bed) {
    await bed.load(50, 300);
    const { server } = bed;
    const before = await bed.restarts();
    server.signal("SIGSTOP");
    await pause(bed.between(1_000, 5_000));
    server.signal("SIGCONT");
    await bed.serves();
    assert.equal(await bed.restarts(), before, `no thread was replaced: ${tail(server.error)}`);
  },
};

import type { Fault } from "../fault.ts";

/** A good end and another start, with the clients at it all the while. */
export const TERM: Fault = {
  name: "term",
  what: "SIGTERM under full load, then a start",
  injected: "kill(2) from the clients' process",
  promise: "drain",
  async run(bed) {
    await bed.load(50, 800);
    await bed.term();
    await bed.start();
  },
};

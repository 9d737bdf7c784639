import type { Fault } from "../fault.ts";

/** The process is gone between two instructions, at a random moment of its work. */
export const KILL: Fault = {
  name: "kill",
  what: "SIGKILL at a random moment under load",
  injected: "kill(2) from the clients' process",
  promise: "written",
  async run(bed) {
    await bed.load(20, 800);
    await bed.kill();
    await bed.start();
  },
};

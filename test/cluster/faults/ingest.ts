// What happens to the ingest nodes.

import { oneOf } from "../../crash/random.ts";
import type { Fault } from "../fault.ts";

export const INGEST_KILL: Fault = {
  name: "ingest-kill",
  what: "an ingest node killed with SIGKILL, and back on its folder",
  injected: "kill(2) under load",
  promise: "replicated",
  async run(bed) {
    const node = oneOf(bed.random, bed.ingest);
    await bed.load(50, 2_000);
    await node.kill();
    await node.start();
  },
};

export const INGEST_LOST: Fault = {
  name: "ingest-lost",
  what: "an ingest node killed and its data folder deleted; another of the same name with an empty one",
  injected: "kill(2) under load, and rm -r",
  promise: "replicated",
  async run(bed) {
    const node = oneOf(bed.random, bed.ingest);
    await bed.load(50, 2_000);
    await node.lose();
    await node.start();
  },
};

export const INGEST_TERM: Fault = {
  name: "ingest-term",
  what: "an ingest node stopped in good order, and back on its folder",
  injected: "SIGTERM under load",
  promise: "replicated",
  async run(bed) {
    const node = oneOf(bed.random, bed.ingest);
    await bed.load(50, 2_000);
    await node.term();
    await node.start();
  },
};

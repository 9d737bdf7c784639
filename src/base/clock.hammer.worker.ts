// Tells the test what time it is in another thread.

import { parentPort } from "node:worker_threads";
import { realClock } from "./clock.ts";

parentPort!.postMessage(realClock.monotonicMs());

// The thread that forwards the log to a store. With forwarding.ts it is the only place of the server that loads forward/, and it
// starts only where --forward asks for it. Told to close, it ends what is under way, stores its cursor and says that it is done.

import { parentPort, workerData } from "node:worker_threads";
import { realClock } from "../base/clock.ts";
import { startForwarder } from "../forward/forwarder.ts";
import { FOLLOW_LAST_MS_MAX } from "../limits.ts";
import { realFiles } from "../log/files.ts";
import { ForwardNumbers } from "../telemetry/forward-figures.layout.ts";
import { forwardSettingsOf } from "./forward-config.ts";
import type { ForwardThreadSettings, FromFollower } from "./messages.ts";
import { VERSION } from "./version.ts";

const { config, dataFolder, figures } = workerData as ForwardThreadSettings;
const FIGURES_INTERVAL_MS = 250;

const forwarder = startForwarder({
  dataFolder,
  files: realFiles,
  clock: realClock,
  settings: forwardSettingsOf(config),
  userAgent: `tidemark/${VERSION}`,
  log: (level, text, fields) => tell({ kind: "log", level, text, fields }),
});

const numbers = new ForwardNumbers(figures);
const timer = setInterval(() => {
  const { state, deadLetters, ...counts } = forwarder.figures();
  const letters = Object.values(deadLetters).reduce((sum, lines) => sum + lines, 0);
  numbers.write({ ...counts, isFlowing: state === "flowing", deadLetters: letters });
}, FIGURES_INTERVAL_MS);

parentPort!.on("message", async () => {
  await forwarder.close(FOLLOW_LAST_MS_MAX);
  clearInterval(timer);
  tell({ kind: "closed" });
});

function tell(message: FromFollower): void {
  parentPort!.postMessage(message);
}

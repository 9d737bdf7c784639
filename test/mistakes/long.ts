// Makes every mistake and runs its tests: `npm run attack -- mistakes [--only WORD]`, on the runtime that runs this file.

import { parseArgs } from "node:util";
import { recordRun } from "../reliability/record.ts";
import { ProjectCopy, type Trial } from "./apply.ts";
import { MISTAKES } from "./mistakes.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const beganMs = performance.now();
const copy = new ProjectCopy();
const trials: Trial[] = [];
try {
  const wanted = MISTAKES.filter((mistake) => mistake.name.includes(values.only));
  for (const mistake of wanted) {
    const trial = copy.try(mistake, (line) => console.error(line));
    trials.push(trial);
    console.error(
      trial.noticedBy === null
        ? `NOT NOTICED: ${mistake.name}`
        : `${mistake.name}: ${trial.noticedBy}: ${trial.words}`,
    );
  }
} finally {
  copy.remove();
}
const seconds = (performance.now() - beganMs) / 1000;
if (values.only === "") {
  const rows = trials.map(({ mistake, noticedBy, words }) => ({
    promise: "tests" as const,
    fault: mistake.name,
    injected: `an edit of \`${mistake.file}\``,
    times: 1,
    lost: noticedBy === null ? "not noticed" : "noticed",
    measured: noticedBy === null ? "" : `\`${noticedBy}\`: ${words}`,
    asked: "a test fails",
    holds: noticedBy !== null,
  }));
  recordRun("mistakes", "npm run attack -- mistakes", seconds, rows);
}
process.exitCode = trials.every((trial) => trial.noticedBy !== null) ? 0 : 1;

// Fuzzing by the million: `npm run attack -- fuzz --inputs 1000000 --seed N`, on the runtime that runs this file; that many
// inputs for each target, each on a thread of its own. What is wrong, or slow every time that it is looked at again, is printed as a whole.

import { parseArgs } from "node:util";
import { readProbeCases } from "../conformance/probe-run.ts";
import { type ReliabilityRow, recordRun } from "../reliability/record.ts";
import { batchCorpusTexts } from "./batch-target.ts";
import { type FuzzTally, INPUT_MS_MAX } from "./fuzz-target.ts";
import { fuzzOnThread } from "./fuzz-thread.ts";
import { TARGETS } from "./targets.ts";

const PROBLEMS_SHOWN_MAX = 20;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: "string", default: "1000000" },
      seed: { type: "string", default: `${Date.now() % 1e9}` },
    },
  });
  const inputs = Number(values.inputs);
  const seed = Number(values.seed);
  if (readProbeCases().length === 0) console.error("the cases of Http11Probe are not here: fuzzed without");
  if (batchCorpusTexts() === 0) console.error("the JSON test suite is not here: fuzzed without");
  const startedMs = performance.now();
  const tallies = await Promise.all(TARGETS.map(({ name }) => fuzzOnThread(name, seed, inputs)));
  const rows = tallies.map((tally, at) => rowOf(TARGETS[at]!.name, tally));
  const command = `npm run attack -- fuzz --inputs ${inputs} --seed ${seed}`;
  recordRun("fuzz", command, (performance.now() - startedMs) / 1000, rows);
  for (const { fault, lost, measured } of rows) console.error(`${fault}: ${lost}; ${measured}`);
  process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;
}

function rowOf(name: string, tally: FuzzTally): ReliabilityRow {
  const problems = [...tally.wrong, ...tally.slow];
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) console.error(problem);
  return {
    promise: "input",
    fault: `broken ${name}`,
    injected: "mutated and spliced good and known bad ones, each checked against an oracle or by rules",
    times: tally.inputs,
    lost: `${tally.wrong.length} crashes, hangs or wrong verdicts; ${tally.taken.toLocaleString("en-US")} were good all the same`,
    measured: `slowest ${tally.msMax.toFixed(1)} ms, its check included; ${tally.slow.length} over ${INPUT_MS_MAX} ms`,
    asked: `none over ${INPUT_MS_MAX} ms`,
    holds: problems.length === 0 && tally.inputs > 0,
  };
}

await main();

// The analyser against planted limits, many times over: how often the planted one is first, and how often something that
// is not true is confirmed. Plants take their turns round by round, so that an hour's weather falls on all of them alike.
// Leaves bench/results/bottlenecks.json, and the table in docs/capacity.md. The plants and what each may be
// called are in test/bottlenecks; scripts/bottlenecks.sh runs this on the pinned runtime.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Plant } from "../test/bottlenecks/plant.ts";
import { PLANTS } from "../test/bottlenecks/plants.ts";
import { explain, judgePlant, OTHER_CORES_MAX } from "../test/bottlenecks/verdict.ts";
import { type MachineRecord, readMachine } from "./machine.ts";
import { fillPageBlock } from "./page-block.ts";
import { print } from "./print.ts";
import { readMachineTicks } from "./process-tree.ts";

interface PlantRound {
  /** Null where nothing was named. */
  readonly first: string | null;
  readonly verdict: string | null;
  readonly isRight: boolean;
  readonly confidentlyWrong: readonly string[];
  /** All that was named, in order. */
  readonly named: string;
  readonly exitCode: number | null;
  readonly void: string | null;
  readonly seconds: number;
  /** Cores that neither side used, but something else did, interrupts among it. */
  readonly otherCores: number | null;
  /** Why there is no verdict: how the run failed. */
  readonly error: string | null;
}

interface PlantFigures {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly accepted: readonly string[];
  readonly alsoTrue: readonly string[];
  readonly mayDecline: boolean;
  readonly mustBeVoid: boolean;
  /** Why it was not planted here; null where it was. */
  readonly skipped: string | null;
  readonly rounds: readonly PlantRound[];
  /** Runs that were thrown away, whatever they said, because others used the cores meanwhile. */
  readonly disturbed: number;
}

interface BottlenecksResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly runtime: string;
  readonly roundCount: number;
  readonly rightShare: number;
  readonly confidentlyWrongShare: number;
  readonly figures: readonly PlantFigures[];
}

const HELP = `usage: bottlenecks.sh [options]

  --rounds N     of every plant (5)
  --only A,B     plants: ${PLANTS.map(({ id }) => id).join(", ")}
  --out FOLDER   where the result goes (bench/results)
  --wait N       seconds to wait for the machine to be quiet before a run; 0 also keeps disturbed runs (180)
  --explain      print the whole evidence where a verdict is wrong
`;

/** A plant is not started while others use more than this of the machine: they would be a second limit, and a true one. */
const OTHERS_SHARE_MAX = 0.15;
const QUIET_WINDOW_MS = 1_500;
/** A run is made again where others used the cores meanwhile. */
const TRIES_MAX = 3;

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

// So that what is planted is taken away (the plants' own 'exit' handlers).
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string" },
      out: { type: "string", default: join(projectFolder, "bench/results") },
      wait: { type: "string", default: "180" },
      explain: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  const wanted = values.only?.split(",");
  const unknown = wanted?.find((id) => !PLANTS.some((plant) => plant.id === id));
  if (unknown !== undefined) {
    console.error(`cannot use --only ${unknown}; try ${PLANTS.map(({ id }) => id).join(", ")}`);
    return 2;
  }
  const plants = PLANTS.filter(({ id }) => wanted === undefined || wanted.includes(id));
  const rounds = new Map<string, PlantRound[]>(plants.map(({ id }) => [id, []]));
  const disturbed = new Map<string, number>(plants.map(({ id }) => [id, 0]));
  const roundCount = Number(values.rounds);
  const waitMs = Number(values.wait) * 1000;
  const triesMax = waitMs === 0 ? 1 : TRIES_MAX;
  for (let round = 1; round <= roundCount; round++) {
    print(`round ${round} of ${roundCount}`);
    for (const plant of plants) {
      if (plant.missing() !== null) continue;
      for (let tries = 1; ; tries++) {
        await awaitQuiet(waitMs);
        const outcome = await runRound(plant, values.explain);
        const isDisturbed = (outcome.otherCores ?? 0) > OTHER_CORES_MAX && tries < triesMax;
        print(`  ${plant.id.padEnd(24)} ${describeRound(outcome)}${isDisturbed ? "  DISTURBED, again" : ""}`);
        if (isDisturbed) {
          disturbed.set(plant.id, disturbed.get(plant.id)! + 1);
          continue;
        }
        rounds.get(plant.id)!.push(outcome);
        break;
      }
    }
  }
  const result = resultOf(plants, rounds, disturbed, roundCount);
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "bottlenecks.json"), `${JSON.stringify(result, null, 2)}\n`);
  const table = formatResult(result);
  print(`\n${table}`);
  if (values.out === join(projectFolder, "bench/results") && wanted === undefined)
    fillPageBlock(join(projectFolder, "docs/capacity.md"), "bottlenecks", table.trimEnd());
  return 0;
}

/** At most so long; then the plant is run all the same. */
async function awaitQuiet(waitMs: number): Promise<void> {
  for (const deadline = performance.now() + waitMs; performance.now() < deadline; ) {
    const before = readMachineTicks();
    await new Promise((resolve) => setTimeout(resolve, QUIET_WINDOW_MS));
    const after = readMachineTicks();
    const busyTicks = (after.busySeconds - before.busySeconds) * 100;
    if (busyTicks <= OTHERS_SHARE_MAX * (after.total - before.total)) return;
  }
}

async function runRound(plant: Plant, explains: boolean): Promise<PlantRound> {
  const startedMs = performance.now();
  const seconds = (): number => Number(((performance.now() - startedMs) / 1000).toFixed(1));
  try {
    const verdict = await judgePlant(plant);
    if (explains && (!verdict.isRight || verdict.confidentlyWrong.length > 0)) print(explain(verdict));
    return {
      first: verdict.first?.id ?? null,
      verdict: verdict.first?.verdict ?? null,
      isRight: verdict.isRight,
      confidentlyWrong: verdict.confidentlyWrong,
      named: verdict.summary,
      exitCode: verdict.exitCode,
      void: verdict.report.void,
      seconds: seconds(),
      otherCores: verdict.otherCores,
      error: null,
    };
  } catch (error) {
    const nothing = { first: null, verdict: null, isRight: false, confidentlyWrong: [], named: "" };
    const failed = { exitCode: null, void: null, otherCores: null, error: (error as Error).message };
    return { ...nothing, ...failed, seconds: seconds() };
  }
}

function describeRound(round: PlantRound): string {
  if (round.error !== null) return `FAILED  ${round.error}`;
  const wrong = round.confidentlyWrong.length > 0 ? `  CONFIDENTLY WRONG: ${round.confidentlyWrong}` : "";
  return `${round.isRight ? "right" : "WRONG"}  ${round.named}  (exit ${round.exitCode}, ${round.seconds} s, others ${round.otherCores})${wrong}`;
}

function resultOf(
  plants: readonly Plant[],
  rounds: ReadonlyMap<string, readonly PlantRound[]>,
  disturbed: ReadonlyMap<string, number>,
  roundCount: number,
): BottlenecksResult {
  const all = [...rounds.values()].flat();
  const share = (isOne: (round: PlantRound) => boolean): number =>
    all.length === 0 ? 0 : all.filter(isOne).length / all.length;
  return {
    title: "Planted bottlenecks",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    runtime: process.versions.bun === undefined ? "node" : "bun",
    roundCount,
    rightShare: share(({ isRight }) => isRight),
    confidentlyWrongShare: share(({ confidentlyWrong }) => confidentlyWrong.length > 0),
    figures: plants.map((plant) => ({
      id: plant.id,
      title: plant.title,
      why: plant.why,
      accepted: plant.first,
      alsoTrue: plant.alsoTrue,
      mayDecline: plant.mayDecline === true,
      mustBeVoid: plant.isVoid === true,
      skipped: plant.missing(),
      rounds: rounds.get(plant.id)!,
      disturbed: disturbed.get(plant.id)!,
    })),
  };
}

function formatResult(result: BottlenecksResult): string {
  const rows = result.figures.map((figures) => {
    const accepted = [...figures.accepted, ...(figures.mayDecline ? ["nothing"] : [])].join(" or ");
    if (figures.skipped !== null) return [figures.title, accepted, "", figures.skipped, ""];
    const right = figures.rounds.filter(({ isRight }) => isRight).length;
    const wrong = figures.rounds.flatMap(({ confidentlyWrong }) => confidentlyWrong);
    const firsts = countOf(
      figures.rounds.map(({ first, verdict, error }) =>
        error === null ? `${first ?? "nothing"}${verdict === null ? "" : ` ${verdict}`}` : "failed",
      ),
    );
    return [figures.title, accepted, `${right} of ${figures.rounds.length}`, firsts, countOf(wrong)];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const { machine } = result;
  return [
    line(["planted", "right", "named first", "verdicts", "confidently wrong"]),
    line(["---", "---", "---:", "---", "---"]),
    ...rows.map(line),
    "",
    `<sub>${result.date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}, ${result.runtime}; ${machine.processor}, ` +
      `${machine.cores} cores, Linux ${machine.kernel}. Right in ${percent(result.rightShare)} of all runs, ` +
      `confidently wrong in ${percent(result.confidentlyWrongShare)}.</sub>`,
    "",
  ].join("\n");
}

/** "pool confirmed 4, pool possible 1". */
function countOf(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word} × ${count}`).join(", ");
}

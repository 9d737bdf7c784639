// The analyser against planted limits, many times over: how often the planted one is first, and how often something that
// is not true is confirmed. Plants take their turns round by round, so that an hour's weather falls on all of them alike.
// Leaves bench/results/bottlenecks.json, and beside it the same as a table in Markdown. The plants and what each may be
// called are in test/bottlenecks; scripts/bottlenecks.sh runs this on the pinned runtime.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Plant } from "../test/bottlenecks/plant.ts";
import { PLANTS } from "../test/bottlenecks/plants.ts";
import { explain, judgePlant } from "../test/bottlenecks/verdict.ts";
import { type MachineRecord, readMachine } from "./machine.ts";
import { print } from "./print.ts";

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
  --explain      print the whole evidence where a verdict is wrong
`;

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string" },
      out: { type: "string", default: join(projectFolder, "bench/results") },
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
  const roundCount = Number(values.rounds);
  for (let round = 1; round <= roundCount; round++) {
    print(`round ${round} of ${roundCount}`);
    for (const plant of plants) {
      if (plant.missing() !== null) continue;
      const outcome = await runRound(plant, values.explain);
      rounds.get(plant.id)!.push(outcome);
      print(`  ${plant.id.padEnd(24)} ${describeRound(outcome)}`);
    }
  }
  const result = resultOf(plants, rounds, roundCount);
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "bottlenecks.json"), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(values.out, "bottlenecks.md"), formatResult(result));
  print(`\n${formatResult(result)}`);
  return 0;
}

async function runRound(plant: Plant, explains: boolean): Promise<PlantRound> {
  const startedMs = performance.now();
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
      seconds: secondsSince(startedMs),
      error: null,
    };
  } catch (error) {
    return {
      first: null,
      verdict: null,
      isRight: false,
      confidentlyWrong: [],
      named: "",
      exitCode: null,
      void: null,
      seconds: secondsSince(startedMs),
      error: (error as Error).message,
    };
  }
}

function secondsSince(startedMs: number): number {
  return Number(((performance.now() - startedMs) / 1000).toFixed(1));
}

function describeRound(round: PlantRound): string {
  if (round.error !== null) return `FAILED  ${round.error}`;
  const wrong = round.confidentlyWrong.length > 0 ? `  CONFIDENTLY WRONG: ${round.confidentlyWrong}` : "";
  return `${round.isRight ? "right" : "WRONG"}  ${round.named}  (exit ${round.exitCode}, ${round.seconds} s)${wrong}`;
}

function resultOf(
  plants: readonly Plant[],
  rounds: ReadonlyMap<string, readonly PlantRound[]>,
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

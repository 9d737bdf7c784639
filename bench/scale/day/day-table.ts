// What came of each simulated day, as a table for docs/scale.md.
import { duration, percent, threeDigits, whole, withUnit } from "../units.ts";
import { FAILURE_WORDS, type Failure, type FailureKind } from "./failures.ts";
import { BURST, BURSTS, LOWEST } from "./load-curve.ts";
import { DRAWN, type RecordedDay } from "./recorded-day.ts";
import type { ScenarioResult } from "./scenarios.ts";
import { refusedOf } from "./tally.ts";

const ROWS: readonly (readonly [string, (day: ScenarioResult) => string])[] = [
  ["offered", ({ tally }) => count(tally.offered)],
  ["stored", ({ tally }) => count(tally.stored)],
  [
    "refused, 503 and none to connect to",
    ({ tally }) => `${count(refusedOf(tally))}${shareOf(refusedOf(tally), tally.offered)}`,
  ],
  ["… log at `--retention-size`", ({ tally }) => count(tally.refusedFull)],
  ["… ingest threads or disk full", ({ tally }) => count(tally.refusedBusy)],
  ["… `replicated` asked, stream away", ({ tally }) => count(tally.refusedReplica)],
  ["stored, but answered 504: not replicated in time", ({ tally }) => count(tally.storedUnanswered)],
  ["**lost, answered `written`**", ({ tally }) => `**${count(tally.lostWritten)}**`],
  ["lost, never answered 200", ({ tally }) => count(tally.lostUnanswered)],
  ["**lost in the stream, answered `replicated`**", ({ tally }) => `**${count(tally.lostReplicated)}**`],
  ["lost in the stream, all levels", ({ tally }) => count(tally.lostInStream)],
  ["lost with a drain's disk", ({ tally }) => count(tally.lostDrained)],
  ["most on the nodes' disks, not in the stream", ({ onNodesMost }) => count(onNodesMost)],
  ["fullest node, of `--retention-size`", ({ nodeFullest }) => percent(nodeFullest)],
  ["most in the streams", ({ inStreamsMost }) => count(inStreamsMost)],
  ["fullest stream, of `--stream-size`", ({ streamFullest }) => percent(streamFullest)],
  ["caught up after the hour's outage", (day) => caughtUp(day, 0)],
  ["caught up after the long outage", (day) => caughtUp(day, 1)],
  [
    "stream-seconds in which fresh lines waited behind the stream's limit",
    ({ secondsFreshWaited }) => whole(secondsFreshWaited),
  ],
  ["at midnight on nodes, in streams", ({ onNodes, inStreams }) => `${count(onNodes)}, ${count(inStreams)}`],
];

export function dayTable({ scenarios }: RecordedDay): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = ROWS.map(([what, cell]) => line([what, ...scenarios.map(cell)]));
  return [
    line(["metrics", ...scenarios.map(({ title }) => title)]),
    line(["---", ...scenarios.map(() => "---:")]),
    ...rows,
  ].join("\n");
}

/** What failed on the day that is drawn. */
export function failureTable({ settings, scenarios }: RecordedDay): string {
  const { failures } = scenarios.find(({ name }) => name === DRAWN)!;
  const kinds = Object.keys(FAILURE_WORDS) as FailureKind[];
  const rows = kinds.flatMap((kind) => {
    const found = failures.filter((failure) => failure.kind === kind);
    return found.length === 0 ? [] : [`| ${FAILURE_WORDS[kind]} | ${found.length} | ${spanOf(found)} |`];
  });
  const usual = [
    `| the night's lowest load | 1 | ${percent(LOWEST)} of the peak |`,
    `| bursts, up to ${BURST.most} × | ${BURSTS} | ${duration(BURST.secondsLeast)} to ${duration(BURST.secondsMost)} |`,
    `| nodes that answer \`replicated\`, the others \`written\` | ${whole(Math.ceil(settings.nodes / settings.replicatedEvery))} of ${whole(settings.nodes)} | the day |`,
  ];
  return ["| what happens | times | for |", "| --- | ---: | ---: |", ...usual, ...rows].join("\n");
}

function spanOf(failures: readonly Failure[]): string {
  const seconds = failures.flatMap((failure) => ("seconds" in failure ? [failure.seconds] : []));
  if (seconds.length === 0) return "an election";
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
  return least === most ? duration(least) : `${duration(least)} to ${duration(most)}`;
}

function caughtUp({ outages }: ScenarioResult, index: number): string {
  // By length: the hour's first.
  const outage = outages.toSorted((a, b) => a.seconds - b.seconds)[index];
  if (outage === undefined) return "";
  return outage.caughtUpS === null ? "not that day" : duration(outage.caughtUpS);
}

function count(metrics: number): string {
  return metrics < 1_000 ? threeDigits(metrics) : withUnit(metrics, "").trim();
}

function shareOf(part: number, of: number): string {
  return part === 0 ? "" : ` (${percent(part / of)})`;
}

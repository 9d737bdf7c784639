// Replays a day: the load second by second, each failure at its time, a sample every few minutes. Pure: same settings, load and
// failures, same result to the last digit.
import type { DaySettings } from "./day-settings.ts";
import type { Failure } from "./failures.ts";
import { Fleet } from "./fleet.ts";
import { refusedOf, type Tally } from "./tally.ts";

export interface Sample {
  readonly atS: number;
  /** Metrics a second, mean since the sample before. */
  readonly offered: number;
  readonly stored: number;
  readonly refused: number;
  /** Metrics, the most since then. */
  readonly onNodes: number;
  readonly inStreams: number;
}

export interface OutageEnd {
  readonly cluster: number;
  readonly seconds: number;
  /** From the outage's end until its nodes had nothing more to send; null where the day was over first. */
  readonly caughtUpS: number | null;
}

export interface DayResult {
  readonly tally: Tally;
  readonly onNodes: number;
  readonly inStreams: number;
  /** The day's highest: metrics, and shares of --retention-size and --stream-size. */
  readonly onNodesMost: number;
  readonly inStreamsMost: number;
  readonly nodeFullest: number;
  readonly streamFullest: number;
  readonly secondsFreshWaited: number;
  readonly secondsRefusing: number;
  readonly outages: readonly OutageEnd[];
  readonly samples: readonly Sample[];
}

const SAMPLE_SECONDS = 240;

export function runDay(settings: DaySettings, load: Float64Array, failures: readonly Failure[]): DayResult {
  const fleet = new Fleet(settings);
  const due = failures.toSorted((a, b) => a.atS - b.atS);
  const samples: Sample[] = [];
  const outages = due.flatMap((failure) =>
    failure.kind === "cluster-away"
      ? [
          {
            cluster: failure.cluster,
            seconds: failure.seconds,
            endS: failure.atS + failure.seconds,
            caughtUpS: null as number | null,
          },
        ]
      : [],
  );
  let [next, onNodesMost, inStreamsMost, nodeFullest, streamFullest, secondsRefusing] = [0, 0, 0, 0, 0, 0];
  let before = { offered: 0, stored: 0, refused: 0 };
  let most = { onNodes: 0, inStreams: 0 };
  for (let second = 0; second < settings.seconds; second++) {
    const now: Failure[] = [];
    while (next < due.length && due[next]!.atS <= second) now.push(due[next++]!);
    const refusedBefore = refusedOf(fleet.tally);
    fleet.step(load[second]!, now);
    if (refusedOf(fleet.tally) > refusedBefore) secondsRefusing++;
    for (const outage of outages)
      if (outage.caughtUpS === null && second >= outage.endS && fleet.onNodesOf(outage.cluster) === 0)
        outage.caughtUpS = second - outage.endS;
    const { onNodes, inStreams, fullest, tally } = fleet;
    most = { onNodes: Math.max(most.onNodes, onNodes), inStreams: Math.max(most.inStreams, inStreams) };
    nodeFullest = Math.max(nodeFullest, fullest.node);
    streamFullest = Math.max(streamFullest, fullest.stream);
    onNodesMost = Math.max(onNodesMost, onNodes);
    inStreamsMost = Math.max(inStreamsMost, inStreams);
    if ((second + 1) % SAMPLE_SECONDS !== 0) continue;
    const after = { offered: tally.offered, stored: tally.stored, refused: refusedOf(tally) };
    const mean = (key: keyof typeof after) => Math.round((after[key] - before[key]) / SAMPLE_SECONDS);
    samples.push({
      atS: second + 1,
      offered: mean("offered"),
      stored: mean("stored"),
      refused: mean("refused"),
      ...most,
    });
    before = after;
    most = { onNodes: 0, inStreams: 0 };
  }
  return {
    tally: fleet.tally,
    onNodes: fleet.onNodes,
    inStreams: fleet.inStreams,
    onNodesMost,
    inStreamsMost,
    nodeFullest,
    streamFullest,
    secondsFreshWaited: fleet.secondsFreshWaited,
    secondsRefusing,
    outages: outages.map(({ cluster, seconds, caughtUpS }) => ({ cluster, seconds, caughtUpS })),
    samples,
  };
}

// What goes wrong in a day, and when: drawn from the seed, more of it than a real fleet of that size should see.
// Pure: the same settings and seed, the same list.

import { streamOf } from "../plan.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { DaySettings } from "./day-settings.ts";

export type Failure = { readonly atS: number } & (
  | {
      readonly kind: "node-restart" | "node-away" | "node-lost" | "disk-slow";
      readonly node: number;
      readonly seconds: number;
    }
  | { readonly kind: "election"; readonly cell: number }
  | {
      readonly kind: "server-away";
      readonly cluster: number;
      readonly server: number;
      readonly seconds: number;
    }
  | { readonly kind: "cluster-away"; readonly cluster: number; readonly seconds: number }
  | {
      readonly kind: "drain-away" | "drain-lost";
      readonly cell: number;
      readonly drain: number;
      readonly seconds: number;
    }
  | { readonly kind: "power-cut"; readonly cluster: number }
);

export type FailureKind = Failure["kind"];

/** What each is, for a reader. */
export const FAILURE_WORDS: Readonly<Record<FailureKind, string>> = {
  "node-restart": "an ingest node is restarted by a deploy",
  "node-away": "an ingest node dies and comes back with its disk",
  "node-lost": "an ingest node dies and its disk with it",
  "disk-slow": "an ingest node's disk takes a fifth",
  election: "a stream's leader is elected anew",
  "server-away": "a NATS server dies and comes back",
  "cluster-away": "a whole cluster cannot be reached",
  "drain-away": "a drain dies and comes back with its disk",
  "drain-lost": "a drain dies and its disk with it",
  "power-cut": "a majority of a cluster's servers loses power at once",
};

const HOUR = 3_600;
/** Of the day. */
const OUTAGE_AT = 0.55;
const DEPLOYS_AT = [10 / 24, 15 / 24];
const RESTART_SECONDS = 5;
/** Of the day. */
const DEPLOY_SHARE = 0.035;

/** Two rolling deploys: no failure, but what every day has. */
export function deploys({ nodes, seconds }: DaySettings): Failure[] {
  return DEPLOYS_AT.flatMap((share) =>
    Array.from({ length: nodes }, (_, node): Failure => {
      const atS = Math.floor(seconds * (share + (DEPLOY_SHARE * node) / nodes));
      return { kind: "node-restart", atS, node, seconds: RESTART_SECONDS };
    }),
  );
}

export function drawFailures(settings: DaySettings, random: SeededRandom): Failure[] {
  const { seconds, nodes, cells, clusters, serversPerCluster, drainsPerCell } = settings;
  const at = () => random.below(seconds);
  const minutes = (low: number, high: number) => Math.floor(random.between(low, high) * 60);
  const times = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);
  const anyNode = () => random.below(nodes);
  const some = (share: number, least: number) => Math.max(least, Math.round(nodes * share));
  // In the busiest hour, so that there is most to catch up; and a node that has answered `written` loses its disk meanwhile.
  const outageAtS = Math.floor(seconds * OUTAGE_AT);
  const outageSeconds = Math.min(HOUR, Math.floor(seconds / 8));
  const cluster = random.below(clusters);
  const victims = Array.from({ length: nodes }, (_, node) => node).filter(
    (node) =>
      node % settings.replicatedEvery !== 0 &&
      streamOf(node, { nodes, streams: cells }) % clusters === cluster,
  );
  const victim = victims[random.below(victims.length)]!;
  const drain = () => ({ cell: random.below(cells), drain: random.below(drainsPerCell) });
  return [
    ...times(
      some(0.05, 2),
      (): Failure => ({ kind: "node-away", atS: at(), node: anyNode(), seconds: minutes(2, 20) }),
    ),
    ...times(
      some(0.02, 2),
      (): Failure => ({ kind: "node-lost", atS: at(), node: anyNode(), seconds: minutes(5, 30) }),
    ),
    ...times(
      some(0.05, 2),
      (): Failure => ({ kind: "disk-slow", atS: at(), node: anyNode(), seconds: minutes(2, 15) }),
    ),
    ...times(3 * clusters, (): Failure => ({ kind: "election", atS: at(), cell: random.below(cells) })),
    ...times(
      2 * clusters,
      (): Failure => ({
        kind: "server-away",
        atS: at(),
        cluster: random.below(clusters),
        server: random.below(serversPerCluster),
        seconds: minutes(5, 30),
      }),
    ),
    { kind: "cluster-away", atS: outageAtS, cluster, seconds: outageSeconds },
    { kind: "node-lost", atS: outageAtS + Math.floor(outageSeconds * 0.9), node: victim, seconds: 1_800 },
    ...times(
      Math.max(2, Math.round(cells / 4)),
      (): Failure => ({ kind: "drain-away", atS: at(), ...drain(), seconds: minutes(1, 30) }),
    ),
  ];
}

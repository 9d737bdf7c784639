// The result of the replication benchmark, and its table: for each figure what was asked and what was measured.
import type { MachineRecord } from "../machine.ts";
import type { Runtime } from "../options.ts";
import { formatMebibytes, formatRate } from "../print.ts";
import type { OutageSummary } from "./outage.ts";
import type { RateComparison } from "./rates.ts";
import type { StreamComparison } from "./through-stream.ts";

/** Null where it was left out. */
export interface ReplicaFigures {
  readonly runtime: Runtime;
  readonly written: RateComparison | null;
  readonly replicated: RateComparison | null;
  readonly stream: StreamComparison | null;
  readonly outage: OutageSummary | null;
}

export interface ReplicaResult {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly settings: { readonly rounds: number; readonly seconds: number };
  readonly figures: readonly ReplicaFigures[];
}

const ROWS: readonly { what: string; asked: string; read(of: ReplicaFigures): string }[] = [
  {
    what: "rate while replicating ÷ not, `written`, 64 connections",
    asked: "≥ 0.8",
    read: ({ written }) => (written === null ? "–" : `${written.rate.toFixed(2)} (${rates(written)})`),
  },
  {
    what: "rate at `replicated` ÷ `synced`, 256 connections",
    asked: "≥ 0.3",
    read: ({ replicated }) =>
      replicated === null ? "–" : `${replicated.rate.toFixed(2)} (${rates(replicated)})`,
  },
  {
    what: "p99 at `replicated` ÷ `synced`",
    asked: "≤ 5",
    read: ({ replicated }) => (replicated === null ? "–" : replicated.latencyP99.toFixed(2)),
  },
  {
    what: "lines/s through the stream ÷ a bare loop's with the same blocks",
    asked: "≥ 0.9",
    read: ({ stream }) =>
      stream === null
        ? "–"
        : `${stream.ofBareLoop.toFixed(2)} (${formatRate(stream.linesPerSecond)} lines/s)`,
  },
  {
    what: "catching up after 1 million metrics ÷ ingest meanwhile",
    asked: "≥ 2",
    read: ({ outage }) =>
      outage === null
        ? "–"
        : `${outage.catchUpOfIngest.toFixed(1)} (${outage.rounds.map(({ catchUpSeconds }) => catchUpSeconds.toFixed(1)).join(", ")} s beside ${formatRate(outage.rounds[0]!.metricsPerSecond)}/s)`,
  },
  {
    what: "age of fresh lines meanwhile, at most",
    asked: "≤ 1 s",
    read: ({ outage }) => (outage === null ? "–" : `${(outage.freshLagMsMax / 1000).toFixed(2)} s`),
  },
  {
    what: "memory of the follower at its worst, over a server without one",
    asked: "≤ 32 MiB",
    read: ({ outage }) => (outage === null ? "–" : formatMebibytes(outage.followerBytes)),
  },
];

export function formatReplicaTable({ figures, machine, date, settings }: ReplicaResult): string {
  const names = figures.map(({ runtime }) => (runtime === "bun" ? "Bun" : "Node"));
  return [
    `|  | asked | ${names.join(" | ")} |`,
    `| --- | ---: |${" ---: |".repeat(names.length)}`,
    ...ROWS.map(({ what, asked, read }) => `| ${what} | ${asked} | ${figures.map(read).join(" | ")} |`),
    "",
    `<sub>${date.slice(0, 10)}, commit ${machine.commit ?? "unknown"}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ` +
      `one ingest thread on one core, three NATS servers and the load on the other; ` +
      `${settings.rounds} rounds of ${settings.seconds} s. [All figures](../bench/results/replica.json).</sub>`,
  ].join("\n");
}

function rates({ baseline, replicated }: RateComparison): string {
  const middle = (rounds: RateComparison["baseline"]) =>
    rounds.map(({ requestsPerSecond }) => requestsPerSecond).sort((a, b) => a - b)[rounds.length >> 1]!;
  return `${formatRate(middle(replicated))} ÷ ${formatRate(middle(baseline))}/s`;
}

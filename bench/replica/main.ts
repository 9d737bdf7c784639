// What replication costs and reaches, by ratios within one run: three NATS servers and the load on one core, the server on the
// other. `node bench/replica/main.ts --rounds 5 --seconds 4 --only written,replicated,stream,outage`; it writes
// bench/results/replica.json and the table in docs/replication.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stopNatsServers } from "../../test/support/nats-server.ts";
import { readMachine } from "../machine.ts";
import { RUNTIMES } from "../options.ts";
import { fillPageBlock } from "../page-block.ts";
import { CORES } from "../pinned.ts";
import { print } from "../print.ts";
import { findProgram } from "../programs.ts";
import { type Bed, startCluster } from "./bed.ts";
import { measureOutages } from "./outage.ts";
import { compareRates } from "./rates.ts";
import { formatReplicaTable, type ReplicaFigures, type ReplicaResult } from "./replica-table.ts";
import { compareStream } from "./through-stream.ts";

const SCENARIOS = ["written", "replicated", "stream", "outage"] as const;
/** Some five seconds: the figures that say when it is through are a quarter of a second old. */
const STREAM_LINES = 6_000_000;
const OUTAGES = 3;
const OUTAGE_METRICS = 1_000_000;
const OUTAGE_METRICS_PER_SECOND = 50_000;

const projectFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
process.exitCode = await main();
process.exit();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
      only: { type: "string", default: SCENARIOS.join(",") },
      out: { type: "string", default: join(projectFolder, "bench/results") },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const only = values.only.split(",");
  if (!(rounds >= 1 && seconds >= 1) || only.some((name) => !SCENARIOS.includes(name as never))) {
    console.error(
      `cannot run because --rounds and --seconds must be whole numbers from 1 and --only of ${SCENARIOS.join(",")}`,
    );
    return 2;
  }
  const missing = ["nats-server", "wrk"].filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    console.error(
      `cannot run because ${missing.join(" and ")} is missing; try apt-get install ${missing.join(" ")}`,
    );
    return 1;
  }
  if (CORES === null)
    print("one core: the server, NATS and the load share it, so the figures compare little");
  const figures: ReplicaFigures[] = [];
  for (const runtime of RUNTIMES) {
    const cluster = await startCluster();
    const bed: Bed = { projectFolder, runtime, cluster };
    const wants = (name: (typeof SCENARIOS)[number]) => only.includes(name);
    figures.push({
      runtime,
      written: wants("written")
        ? await compareRates(
            bed,
            { name: "written", connections: 64, baseline: [], replicated: [] },
            rounds,
            seconds,
          )
        : null,
      replicated: wants("replicated")
        ? await compareRates(
            bed,
            {
              name: "replicated",
              connections: 256,
              baseline: ["--ack", "synced"],
              replicated: ["--ack", "replicated"],
            },
            rounds,
            seconds,
          )
        : null,
      stream: wants("stream") ? await compareStream(bed, STREAM_LINES, rounds) : null,
      outage: wants("outage")
        ? await measureOutages(bed, OUTAGE_METRICS, OUTAGE_METRICS_PER_SECOND, OUTAGES)
        : null,
    });
    await stopNatsServers();
  }
  const result: ReplicaResult = {
    title: "replication",
    date: new Date().toISOString(),
    machine: readMachine(projectFolder),
    settings: { rounds, seconds },
    figures,
  };
  print(formatReplicaTable(result));
  if (only.length < SCENARIOS.length) return 0;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "replica.json"), `${JSON.stringify(result, null, 2)}\n`);
  fillPageBlock(join(projectFolder, "docs/replication.md"), "replica", formatReplicaTable(result));
  return 0;
}

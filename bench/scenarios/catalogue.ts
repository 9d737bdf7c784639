// Which contenders meet in which scenario, under which load. The sizes are the ones the project's goals are set in.
import type { Options, Runtime, ScenarioId } from "../options.ts";
import type { Result } from "../result.ts";
import { fastify } from "../rivals/fastify.ts";
import { nginx } from "../rivals/nginx.ts";
import { victoriaMetricsImport, victoriaMetricsWrite } from "../rivals/victoria-metrics.ts";
import { tidemark } from "../tidemark.ts";
import { runLadder } from "./ladder.ts";
import { runMemory } from "./memory.ts";
import { type RateScenario, runRateScenario } from "./rate.ts";
import { runRestart } from "./restart.ts";

type Outcome = Omit<Result, "date" | "machine">;

export async function runScenario(id: ScenarioId, options: Options, projectFolder: string): Promise<Outcome> {
  const ours = options.runtimes.map((runtime) => tidemark(runtime, null, options, projectFolder));
  switch (id) {
    case "small":
      return runRate(id, "3-metric batches, 64 connections", options, {
        contenders: [nginx, ...ours, victoriaMetricsImport, fastify(projectFolder)],
        baselines: ["nginx", "victoria-metrics"],
        connections: 64,
        metricsPerBatch: 3,
        batchCount: 64,
      });
    case "large":
      return runRate(id, "1,000-metric batches, 16 connections", options, {
        contenders: [nginx, ...ours, victoriaMetricsWrite, fastify(projectFolder)],
        baselines: ["nginx", "victoria-metrics"],
        connections: 16,
        metricsPerBatch: 1000,
        batchCount: 16,
      });
    case "synced":
      return runRate(id, "3-metric batches, 256 connections, by what the answer promises", options, {
        contenders: options.runtimes.flatMap((runtime: Runtime) => [
          tidemark(runtime, "written", options, projectFolder),
          tidemark(runtime, "synced", options, projectFolder),
        ]),
        baselines: options.runtimes.map((runtime) => `tidemark-${runtime}-written`),
        connections: 256,
        metricsPerBatch: 3,
        batchCount: 64,
      });
    case "ladder":
      return runLadder(ours, options, projectFolder);
    case "memory":
      return runMemory([nginx, ...ours], options, projectFolder);
    case "restart":
      return runRestart(ours, options);
  }
}

async function runRate(
  id: "small" | "large" | "synced",
  title: string,
  options: Options,
  scenario: RateScenario,
): Promise<Outcome> {
  return {
    scenario: id,
    title,
    settings: {
      rounds: options.rounds,
      seconds: options.seconds,
      warmSeconds: options.warmSeconds,
      connections: scenario.connections,
      metricsPerBatch: scenario.metricsPerBatch,
    },
    figures: await runRateScenario(scenario, options),
  };
}

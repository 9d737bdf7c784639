// Runs one level after another against one target: the load, and beside it the samples of both sides. Main thread; the
// load itself is made by the generator's own threads, or by agents on other machines: it does not ask which.

import { openSampler, recordWhile, type Sampler } from "../evidence/sampler.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { LoadGenerator } from "../load/load-generator.ts";
import type { LoadPlan, Stop } from "../load/load-plan.ts";
import type { LoadSlot } from "../load/load-result.ts";
import type { LevelSpec } from "../search/ladder.ts";
import { judge, type Objective } from "../search/objective.ts";
import type { RequestShape } from "./request-shape.ts";

export interface LevelRunnerOptions {
  readonly target: TargetFacts;
  /** It becomes the runner's: close() ends it. */
  readonly generator: LoadGenerator;
  readonly request: RequestShape;
  readonly objective: Objective;
  readonly threads: number;
  readonly keepAlive: boolean;
  readonly timeoutMs: number;
  /** Null: as the level says. */
  readonly levelSeconds: number | null;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** A slot of a level's time line is over. */
  onSlot(spec: LevelSpec, slot: LoadSlot): void;
}

/** Compilers of the runtimes take about this long to find what is hot, seconds. */
const WARM_UP_SECONDS = 0.8;
const WARM_UP_CLIENTS = 32;
/** Between two levels, milliseconds: connections of the last one close, a background sync ends. */
const SETTLE_MS = 150;

export class LevelRunner {
  readonly target: TargetFacts;
  private readonly options: LevelRunnerOptions;
  private readonly sampler: Sampler;

  constructor(options: LevelRunnerOptions) {
    this.options = options;
    this.target = options.target;
    const { url, pid, isLocal, isTidemark } = options.target;
    const { isHere } = options.generator;
    const { hostname, port, origin } = new URL(url);
    this.sampler = openSampler({
      pid,
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 80 : Number(port),
      isLocal,
      hasGenerator: isHere,
      statsUrl: isTidemark ? `${origin}/stats` : null,
    });
  }

  /** Throws TidemarkError where the generator cannot run at all; what the target does wrong is in the level. */
  async run(spec: LevelSpec): Promise<Level> {
    const { objective, signal, onSlot } = this.options;
    const plan = { ...this.planFor(spec), stop: this.stopOf(spec) };
    const { result: load, samples } = await recordWhile(
      this.sampler,
      () => this.options.generator.run(plan, { signal, onSlot: (slot) => onSlot(spec, slot) }),
      ({ startedAtMs }) => startedAtMs,
    );
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const { id, kind, part, clients, paceMs, rate } = spec;
    return {
      id,
      kind,
      part,
      clients,
      paceMs,
      plannedRate: rate ?? (paceMs === null ? null : (clients * 1000) / paceMs),
      load,
      samples,
      objective: judge(load, objective),
    };
  }

  /** Load whose figures are thrown away: a server that has just started is not the one that will be in service. */
  async warmUp(): Promise<void> {
    const plan = this.planFor({ clients: WARM_UP_CLIENTS, paceMs: null, rate: null });
    const seconds = Math.min(WARM_UP_SECONDS, this.options.levelSeconds ?? WARM_UP_SECONDS);
    await this.options.generator.run(
      { ...plan, stop: { kind: "seconds", seconds } },
      { signal: this.options.signal },
    );
  }

  async close(): Promise<void> {
    this.sampler.close();
    await this.options.generator.end();
  }

  private stopOf({ stop }: LevelSpec): Stop {
    const { levelSeconds } = this.options;
    return levelSeconds === null || stop.kind !== "seconds"
      ? stop
      : { kind: "seconds", seconds: levelSeconds };
  }

  private planFor(spec: Pick<LevelSpec, "clients" | "paceMs" | "rate">): Omit<LoadPlan, "stop"> {
    const { request, threads, keepAlive, timeoutMs, seed } = this.options;
    return {
      ...request,
      clients: spec.clients,
      threads: Math.min(threads, spec.clients),
      arrivals:
        spec.rate === null
          ? { kind: "closed", paceMs: spec.paceMs ?? 0 }
          : { kind: "open", ratePerSecond: spec.rate, rateEndPerSecond: spec.rate },
      keepAlive,
      pipeline: 1,
      timeoutMs,
      rampMs: 0,
      seed,
    };
  }
}

// One run: the log's own lane on a model file system, doing what its plan says. At a share of its steps a copy of the file
// system is crashed and recovered beside the run; now and then the run itself is crashed, recovered and carried on.

import { SYNC_INTERVAL_MS } from "../../src/limits.ts";
import { ACK_SYNCED } from "../../src/log/files.ts";
import { Lane } from "../../src/log/lane.ts";
import type { ModelFault, ModelFiles } from "../../src/log/model-files.ts";
import { STORED } from "../../src/log/waiter-group.ts";
import { randomFrom } from "../crash/random.ts";
import { numbersIn } from "./check.ts";
import type { Operation, Plan } from "./operations.ts";
import { type Between, type Crash, crashHere, emptyFiles, LANE, type Promises, restart } from "./restart.ts";
import { type SentBatch, SentBatches } from "./sent-batches.ts";

const CLOSE_EVENTS_MAX = 10_000;

export interface RunCounts {
  powerCuts: number;
  kills: number;
  batchesSynced: number;
  batchesWritten: number;
  batchesRefused: number;
  /** Lines that recoveries were held to, counted at each. */
  linesChecked: number;
}

export interface RunResult {
  readonly problems: readonly string[];
  readonly counts: RunCounts;
}

class SimulatedRun {
  private readonly plan: Plan;
  private readonly between: Between;
  /** What the machine does, and when it crashes; apart, so that more crashes do not change the run. */
  private readonly random;
  private readonly crashRandom;
  private readonly sent = new SentBatches();
  private files: ModelFiles;
  private lane!: Lane<SentBatch>;
  private problems: string[] = [];
  readonly counts: RunCounts = {
    powerCuts: 0,
    kills: 0,
    batchesSynced: 0,
    batchesWritten: 0,
    batchesRefused: 0,
    linesChecked: 0,
  };

  private faults: { write: ModelFault; count: number } | null = null;
  private syncFault = { code: "", count: 0 };
  private indexFaults = 0;
  private createFaults = 0;
  private slowSyncs = { ms: 0, count: 0 };
  private slowWrites = { ms: 0, count: 0 };
  private syncsFailed = 0;
  private isRetaining = false;
  /** Steps until the run itself is crashed; -1 for not. */
  private stepsLeft = -1;
  private crashIsPowerCut = false;
  private crash: Crash | null = null;
  private promisesAtCrash: Promises | null = null;

  constructor(plan: Plan, between: Between) {
    this.plan = plan;
    this.between = between;
    this.random = randomFrom(plan.seed ^ 0x5eed);
    this.crashRandom = randomFrom(plan.seed ^ 0xc4a5);
    this.files = emptyFiles(this.random);
  }

  run(): RunResult {
    this.open();
    for (const operation of this.plan.operations) {
      this.do(operation);
      if (this.crash !== null) this.carryOn();
      if (this.problems.length > 0) return this.result();
    }
    this.heal();
    this.close();
    if (this.crash !== null) this.carryOn();
    if (this.problems.length === 0) this.crashBeside();
    return this.result();
  }

  private result(): RunResult {
    return { problems: this.problems, counts: this.counts };
  }

  private open(): void {
    const { files, plan } = this;
    files.onStep = (call, path) => this.step(call, path);
    files.onWrite = (path) => this.fateOfWrite(path);
    files.onSync = (path) => this.fateOfSync(path);
    files.durationMs = (call, path) => this.durationMs(call, path);
    this.lane = new Lane<SentBatch>({
      directory: LANE,
      files: this.between(files),
      clock: files.time,
      timers: files.time,
      schedule: files.time.schedule,
      handler: {
        settled: (waiters, _tags, _levels, count, refusal) => {
          if (this.crash !== null) return;
          for (let at = 0; at < count; at++) this.settled(waiters[at] ?? null, refusal);
        },
      },
      bufferBytes: plan.bufferBytes,
      segmentBytesMax: plan.segmentBytesMax,
      segmentAgeMsMax: plan.segmentAgeMsMax,
      syncIntervalMs: SYNC_INTERVAL_MS,
      directBytesMin: plan.directBytesMin,
      writesEach: plan.writesEach,
      onEvent: () => {},
    });
    this.lane.open();
  }

  private do(operation: Operation): void {
    const { files } = this;
    if (operation.kind === "append") this.append(operation);
    else if (operation.kind === "pass") files.time.pass(operation.ms);
    else if (operation.kind === "rotate if old") this.lane.rotateIfOld();
    else if (operation.kind === "retain") this.retain(operation.ageMs, operation.bytes);
    else if (operation.kind === "write back") files.writeBack();
    else if (operation.kind === "writes fail")
      this.faults = { write: { bytes: operation.bytes, code: operation.code }, count: operation.count };
    else if (operation.kind === "writes are short")
      this.faults = { write: { bytes: operation.bytes }, count: operation.count };
    else if (operation.kind === "syncs fail")
      this.syncFault = { code: operation.code, count: operation.count };
    else if (operation.kind === "index writes fail") this.indexFaults = operation.count;
    else if (operation.kind === "creating fails") this.createFaults = operation.count;
    else if (operation.kind === "syncs are slow") this.slowSyncs = { ...operation };
    else if (operation.kind === "writes are slow") this.slowWrites = { ...operation };
    else if (operation.kind === "close") this.reopen();
    else {
      this.stepsLeft = operation.steps;
      this.crashIsPowerCut = operation.power;
    }
  }

  private append(operation: { lines: number; lineBytes: number; level: number }): void {
    const { batch, text, timestampMs } = this.sent.make(
      operation.lines,
      operation.lineBytes,
      operation.level,
      this.syncsFailed,
    );
    const bytes = Buffer.from(text);
    if (this.lane.tryReserve(bytes.length) !== STORED) return;
    this.sent.sent(batch);
    this.lane.buffer.set(bytes, this.lane.position);
    const end = this.lane.position + bytes.length;
    this.lane.append(
      end,
      operation.lines,
      timestampMs,
      timestampMs + operation.lines - 1,
      batch.level,
      batch,
    );
  }

  private settled(batch: SentBatch | null, refusal: number): void {
    if (batch === null) return;
    if (refusal === STORED) {
      this.counts[batch.level === ACK_SYNCED ? "batchesSynced" : "batchesWritten"]++;
      batch.storedMs = this.files.time.monotonicMs();
      batch.storedSyncingMs = this.files.syncingMs;
    } else {
      this.counts.batchesRefused++;
      batch.refused = batch.syncsFailed === this.syncsFailed;
    }
  }

  private retain(ageMs: number, bytes: number): void {
    this.isRetaining = true;
    this.lane.retain(ageMs, bytes);
    this.isRetaining = false;
  }

  private reopen(): void {
    this.close();
    if (this.crash !== null) return;
    const promises = this.promises();
    const { crashes, ...left } = restart(
      { files: this.files, isPowerCut: false },
      this.sent,
      promises,
      this.crashRandom,
      this.between,
    );
    this.count(crashes, left.powerCuts, left.lines.length);
    this.tell("after closing", left.problems);
    this.begin(left.files, left.lines);
  }

  private close(): void {
    let closed = false;
    this.lane.close(() => {
      closed = true;
    });
    const isDone = this.files.time.passUntil(() => closed || this.crash !== null, CLOSE_EVENTS_MAX);
    if (!isDone) this.problems.push("the lane does not close");
    if (this.crash !== null) return;
    this.problems.push(...this.files.violations);
    this.files.time.passUntil(() => false, CLOSE_EVENTS_MAX);
    if (this.files.openCount > 0) this.problems.push(`closing left ${this.files.openCount} files open`);
  }

  /** The crash is over: recovers, checks, and opens the lane again. */
  private carryOn(): void {
    const left = restart(this.crash!, this.sent, this.promisesAtCrash!, this.crashRandom, this.between);
    this.count(left.crashes, left.powerCuts, left.lines.length);
    this.tell(this.crash!.isPowerCut ? "after a power cut" : "after a kill", left.problems);
    this.begin(left.files, left.lines);
  }

  private begin(files: ModelFiles, lines: readonly number[]): void {
    this.files.time.forget();
    this.files = files;
    this.crash = null;
    this.stepsLeft = -1;
    this.heal();
    this.sent.recovered(lines);
    if (this.problems.length === 0) this.open();
  }

  /** A copy of the file system is crashed at this very step; the run itself goes on. */
  private crashBeside(): void {
    const isPowerCut = this.crashRandom() < 0.6;
    const crash = crashHere(this.files, isPowerCut, this.crashRandom);
    const left = restart(crash, this.sent, this.promises(), this.crashRandom, this.between);
    this.count(left.crashes, left.powerCuts, left.lines.length);
    this.tell(isPowerCut ? "after a power cut" : "after a kill", left.problems);
  }

  private promises(): Promises {
    return {
      afterKill: this.sent.afterKill(),
      afterPowerCut: this.sent.afterPowerCut(this.files.time.monotonicMs(), this.files.syncingMs),
    };
  }

  private count(crashes: number, powerCuts: number, lines: number): void {
    this.counts.powerCuts += powerCuts;
    this.counts.kills += crashes - powerCuts;
    this.counts.linesChecked += lines;
  }

  private tell(when: string, problems: readonly string[]): void {
    for (const problem of problems) this.problems.push(`${when}: ${problem}`);
  }

  private step(call: string, path: string): void {
    if (this.crash !== null || this.problems.length > 0) return;
    if (this.stepsLeft-- === 0) {
      this.promisesAtCrash = this.promises();
      this.crash = crashHere(this.files, this.crashIsPowerCut, this.crashRandom);
      return;
    }
    if (this.crashRandom() < this.plan.crashShare) this.crashBeside();
    if (call === "unlink" && this.isRetaining) this.sent.deleteBySettings(this.numbersIn(path));
    if (call === "create" && this.createFaults > 0) {
      this.createFaults--;
      throw Object.assign(new Error("cannot create because the plan says so"), { code: "ENOSPC" });
    }
  }

  private numbersIn(path: string): number[] {
    const content = this.files.contents(LANE).get(path.slice(LANE.length + 1));
    return content === undefined ? [] : numbersIn(content, this.sent);
  }

  private fateOfWrite(path: string): ModelFault | null {
    if (path.endsWith(".idx")) return this.indexFaults-- > 0 ? { bytes: 7, code: "ENOSPC" } : null;
    if (this.faults === null || this.faults.count-- <= 0) return null;
    return this.faults.write;
  }

  private fateOfSync(path: string): string | null {
    if (path.endsWith(".idx") || this.syncFault.count-- <= 0) return null;
    this.syncsFailed++;
    for (const name of this.files.contents(LANE).keys()) {
      const segment = `${LANE}/${name}`;
      const isHit = segment === path || (path === LANE && this.files.isNamePending(segment));
      if (name.endsWith(".jsonl") && isHit) this.sent.doubt(this.numbersIn(segment));
    }
    return this.syncFault.code;
  }

  private durationMs(call: string, path: string): number {
    const slow = call === "write" ? this.slowWrites : this.slowSyncs;
    if (path.endsWith(".idx") || slow.count-- <= 0) return this.random() * (call === "write" ? 0.2 : 3);
    return slow.ms * this.random();
  }

  private heal(): void {
    this.faults = null;
    this.syncFault = { code: "", count: 0 };
    this.indexFaults = 0;
    this.createFaults = 0;
    this.slowSyncs = { ms: 0, count: 0 };
    this.slowWrites = { ms: 0, count: 0 };
  }
}

export function simulate(plan: Plan, between: Between = (files) => files): RunResult {
  const run = new SimulatedRun(plan, between);
  try {
    return run.run();
  } catch (error) {
    return { problems: [`it threw: ${(error as Error).stack}`], counts: run.counts };
  }
}

/** The operations without those that a run can leave out and still go wrong, by halves and then one by one. */
export function shrink(plan: Plan, between?: Between): Plan {
  let { operations } = plan;
  for (let size = Math.ceil(operations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at + size <= operations.length; ) {
      const fewer = operations.filter((_, index) => index < at || index >= at + size);
      if (simulate({ ...plan, operations: fewer }, between).problems.length > 0) operations = fewer;
      else at += size;
    }
  }
  return { ...plan, operations };
}

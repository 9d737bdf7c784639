// A pool of workers, each held by one connection, or a fixed number of requests served at a time. Two signatures:
// the first K clients are served for ever and the rest never, with their requests unread in the server; or the rate stays
// flat and latency grows with the clients while the processor and the disk have time. The second is what is left when
// nothing else explains it, so it weighs less. Pure.

import type { LevelEvidence } from "../evidence/level-evidence.ts";
import { countText, msUnitText, rateUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, type Prediction, predict, predictAsked } from "./gain.ts";
import { type Processor, readProcessor } from "./processor-state.ts";
import type { CurvePoint, DiagnosedLevel, Reading } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  CLIENTS_SPREAD,
  DISK_WAITS,
  HELD_SHARE,
  IDLE_CORES,
  LATENCY_PROPORTIONAL,
  RATE_FLAT,
  RATE_GROWS,
  RATE_SHRINKS,
  SERVED_AGREES,
  SERVED_ANSWERS_MIN,
  STARVED_SHARE,
  THREAD_NEAR,
  THREAD_WAITS,
  UNREAD_MIN,
  UNREAD_SHARE,
} from "./thresholds.ts";

export const POOL: Rule = {
  id: "pool",
  title: "the worker pool",
  restsOn: ({ evidence }) => [
    { what: "the CPU of the server's threads (needs --pid and /proc)", value: evidence.hottestThread },
  ],
  judge: judgePool,
};

interface Held {
  readonly served: number;
  readonly starved: number;
  /** Levels, this one among them, that served the same number. */
  readonly levelsAgreeing: number;
  /** Clients whose requests lie in the server: unread, or not yet accepted; null where that is not known. */
  readonly waiting: number | null;
}

function judgePool(reading: Reading): Opinion {
  const held = heldOf(reading);
  if (held !== null) return judgeHeld(reading, held);
  const fixed = judgeFixed(reading);
  if (fixed !== null) return { ...fixed, ...advice(reading, null) };
  return { ...withoutSigns(reading), ...advice(reading, null) };
}

function judgeHeld(reading: Reading, held: Held): Opinion {
  const { load, processor } = reading;
  const { served, starved, levelsAgreeing, waiting } = held;
  const pros = [
    `${countText(served)} of ${countText(load.plan.clients)} clients were served throughout, ${countText(load.succeeded)} answers in all; the other ${countText(starved)} were connected or tried to, and never got one.`,
  ];
  const cons: string[] = [];
  if (levelsAgreeing > 1)
    pros.push(
      `The number of clients served was the same in ${levelsAgreeing} levels, however many there were.`,
    );
  const isWaiting = waiting !== null && waiting >= heldAtLeast(reading);
  if (isWaiting)
    pros.push(
      `The requests of ${countText(waiting)} connections lay in the server unread or not accepted, in the median over the level.`,
    );
  else if (waiting !== null)
    cons.push(
      `Only ${countText(waiting)} connections had requests lying unread or not accepted, in the median: the server took what reached it.`,
    );
  if (processor.isSaturated === false)
    pros.push(
      `The processor had time: the busiest thread used ${shareText(processor.threadRatio)} of a core.`,
    );
  const isConfirmed = isWaiting || (waiting === null && levelsAgreeing > 1);
  const prediction = isConfirmed ? predictServed(reading, held) : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : "possible",
    weight: isConfirmed ? 0.94 : 0.5,
    for: [...pros, ...prediction.sentences],
    against: cons,
    predicted: prediction.factor,
    ...advice(reading, served),
  };
}

function heldOf(reading: Reading): Held | null {
  const here = servedOf({ level: reading.level, evidence: reading.evidence });
  if (here === null) return null;
  const agreeing = reading.levels.filter((each) => {
    const served = servedOf(each);
    return served !== null && Math.abs(served - here) <= 1 + SERVED_AGREES * here;
  });
  const { unreadSocketsMedian: unread, acceptQueueMedian: queued } = reading.evidence;
  return {
    served: here,
    starved: reading.load.plan.clients - here,
    levelsAgreeing: agreeing.length,
    // Connections in the accept queue hold unread requests too: the larger figure, not the sum.
    waiting: unread === null && queued === null ? null : Math.max(unread ?? 0, queued ?? 0),
  };
}

/** Clients that were served while others never were; null where the level shows no such thing. */
function servedOf({ level }: DiagnosedLevel): number | null {
  const { load } = level;
  const { clients, keepAlive, arrivals } = load.plan;
  const served = load.connections.clientsAnswered;
  const isStarving = clients - served >= Math.max(1, STARVED_SHARE * clients);
  if (!keepAlive || arrivals.kind !== "closed" || load.void !== null || !isStarving || served === 0)
    return null;
  if (load.succeeded < served * SERVED_ANSWERS_MIN) return null;
  // Refusals are an answer: a server that says no has the time to.
  const refused = load.errors.refused + load.errors.unavailable + load.errors.rate_limited;
  return refused > load.errors.timeout + load.errors.connect_timeout ? null : served;
}

/** Where the kernel's queue is shorter than the starved are many, no more than it holds can lie there. */
function heldAtLeast({ evidence, load }: Reading): number {
  const starved = load.plan.clients - load.connections.clientsAnswered;
  return HELD_SHARE * Math.min(starved, evidence.acceptQueueCap ?? starved);
}

interface Flat {
  readonly from: CurvePoint;
  readonly to: CurvePoint;
  /** Requests served at a time. */
  readonly served: number;
  readonly evidence: LevelEvidence;
  readonly processor: Processor;
}

type Judged = Pick<Opinion, "verdict" | "weight" | "for" | "against" | "predicted">;

function judgeFixed(reading: Reading): Judged | null {
  const flat = flatOf(reading);
  const unread = unreadOf(reading);
  if (flat === null && unread === null) return null;
  const { evidence, processor } = flat ?? reading;
  if (processor.isSaturated === true) return null;
  const pros: string[] = [];
  const cons: string[] = [];
  if (flat !== null) pros.push(flatText(flat));
  if (unread !== null)
    pros.push(
      `In the median ${countText(unread)} of ${countText(reading.load.plan.clients)} connections held a request that the server had not read or not even accepted.`,
    );
  const isIdle = hasTime(evidence, processor);
  const ratio = shareText(processor.threadRatio);
  if (isIdle) pros.push(`The busiest thread used ${ratio} of a core meanwhile: the processor had time.`);
  else if (processor.threadRatio !== null)
    cons.push(`The busiest thread used ${ratio} of a core meanwhile, or waited for one: not idle.`);
  const { diskSleepRatio } = evidence;
  const waitsForDisk = diskSleepRatio !== null && diskSleepRatio >= DISK_WAITS;
  if (waitsForDisk) cons.push(`In ${shareText(diskSleepRatio)} of the samples a thread waited for the disk.`);
  const isConfirmed = isIdle && !waitsForDisk;
  const isBoth = flat !== null && unread !== null;
  return {
    verdict: isConfirmed ? "confirmed" : "possible",
    weight: (isConfirmed ? 0.6 : 0.3) + (isBoth ? 0.05 : 0),
    for: pros,
    against: cons,
    predicted: null,
  };
}

/** Neither it nor one lock inside of it is short of CPU. */
function hasTime({ processCores }: LevelEvidence, processor: Processor): boolean {
  const { isSaturated, threadRatio, threadWait } = processor;
  return (
    isSaturated === false &&
    (threadRatio ?? 1) < THREAD_NEAR &&
    (threadWait ?? 0) < THREAD_WAITS &&
    (processCores ?? 1) < IDLE_CORES
  );
}

/**
 * Connections with a request that nobody takes, in the median; null where they are few, or that is not known. No more
 * than were in flight by Little's law: on a busy machine the reading of the samples holds the server up while it looks.
 */
function unreadOf({ evidence, load }: Reading): number | null {
  const { unreadSocketsMedian, acceptQueueMedian } = evidence;
  const unread = Math.min(load.inFlightMean, Math.max(unreadSocketsMedian ?? 0, acceptQueueMedian ?? 0));
  return unread >= Math.max(UNREAD_MIN, UNREAD_SHARE * load.plan.clients) ? Math.round(unread) : null;
}

function flatText({ from, to, served }: Flat): string {
  const grew = `the rate went from ${rateUnitText(from.rate)} to ${rateUnitText(to.rate)} while the median latency grew from ${msUnitText(from.latencyMs)} to ${msUnitText(to.latencyMs)}, as the clients did`;
  return `From ${countText(from.clients)} to ${countText(to.clients)} clients ${grew}: requests served at a time are about ${countText(Math.max(1, served))} (rate × latency with the fewest clients).`;
}

/** Null where the rate still grows, or latency does not follow the clients. */
function flatOf(reading: Reading): Flat | null {
  const { curve } = reading;
  const first = curve[0];
  const to = curve.at(-1);
  if (first === undefined || to === undefined || to.clients < CLIENTS_SPREAD * first.clients) return null;
  const from = curve.findLast(({ clients }) => clients <= to.clients / 2);
  if (from === undefined || !(from.rate > 0) || !(from.latencyMs > 0)) return null;
  const growth = to.latencyMs / from.latencyMs / (to.clients / from.clients);
  const isFlat = to.rate / from.rate < RATE_FLAT && to.rate / from.rate > RATE_SHRINKS;
  const isProportional = growth >= 1 / LATENCY_PROPORTIONAL && growth <= LATENCY_PROPORTIONAL;
  if (!isFlat || !isProportional) return null;
  const { evidence } = reading.levels.find(
    ({ level }) => level.kind === "unpaced" && level.clients === to.clients && level.load.void === null,
  )!;
  return {
    from,
    to,
    served: Math.round((to.rate * first.latencyMs) / 1e3),
    evidence,
    processor: readProcessor(evidence, reading.target),
  };
}

/** Every client was answered. Whether a fixed number is served at a time shows only by several numbers of clients. */
function withoutSigns(reading: Reading): Judged {
  const { load, processor, curve } = reading;
  const { clients } = load.plan;
  const answered = load.connections.clientsAnswered;
  const cons = [`Clients that were answered: ${countText(answered)} of ${countText(clients)}.`];
  const last = curve.at(-1);
  const first = curve.findLast((point) => last !== undefined && point.clients <= last.clients / 2);
  const grows = first !== undefined && last !== undefined && last.rate / first.rate >= RATE_GROWS;
  if (grows)
    cons.push(
      `The rate still grew from ${rateUnitText(first.rate)} with ${countText(first.clients)} clients to ${rateUnitText(last.rate)} with ${countText(last.clients)}.`,
    );
  if (processor.isSaturated === true)
    cons.push(
      `The processor was the limit, not the number of requests at a time (busiest thread ${shareText(processor.threadRatio)} of a core).`,
    );
  const isAll = answered >= clients || !load.plan.keepAlive;
  const isTold = isAll && (grows || processor.isSaturated === true);
  return { verdict: isTold ? "ruled-out" : "unknown", weight: 0, for: [], against: cons, predicted: null };
}

function predictServed(reading: Reading, { served }: Held): Prediction {
  if (reading.level.plannedRate !== null) return predictAsked(reading);
  const { clients } = reading.load.plan;
  return predict(reading, clients / served, `${countText(clients)} clients ÷ ${countText(served)} served`);
}

function advice(reading: Reading, served: number | null): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid, port } = reading;
  const size = served === null ? "" : ` (it seems to be ${countText(served)})`;
  return {
    check:
      `Linux: ss -tn state established 'sport = :${port}' — connections with a Recv-Q above 0 that stays are not read; ` +
      `ps -L -p ${pid} -o tid,stat,wchan:24,comm shows what the workers wait for. macOS: netstat -an -p tcp | grep '[.]${port} ' (second column); sample ${pid}`,
    fix: reading.target.isTidemark
      ? "--threads N: more ingest threads; none of them is held by a connection"
      : `more workers than connections${size}, or a keep-alive timeout of a second or less, or keep-alive off, or a server that holds no worker for an idle connection (an event loop)`,
    remedy: flagsFor(
      reading,
      ["--threads", String(Math.min(64, Math.max(2, (reading.stats?.threads ?? 1) * 2)))],
      "the pool of a server that is not ours is set where that server is configured",
    ),
  };
}

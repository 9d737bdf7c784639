// A level's samples reduced to the figures that the diagnosis and the report use. Pure: it reads nothing.
// Every figure may be null, "not known here", which is never the same as zero; a diagnosis may not rule out by it.
// Shares of time (of a core, of the machine) are of the samples that lie inside the load: the generator's start before
// and the wait for the last answers after it would thin them out. What only happens at the edges (connections that the
// kernel refused, batches stored) is counted from the sample before the load to the one after it.

import type { Level } from "../level.ts";
import {
  type Figure,
  growthOf,
  knownFigures,
  largestFigure,
  lastFigure,
  machineShare,
  medianFigure,
  rateOf,
  ratioOf,
  smallestFigure,
  sumOf,
} from "./counter-growth.ts";
import type { Sample } from "./sample.ts";
import { summariseStats } from "./stats-evidence.ts";
import { summariseThreads } from "./thread-evidence.ts";

/** What a Tidemark said of itself during the level. */
export interface StatsEvidence {
  /** The setting --ack. */
  readonly ack: string | null;
  /** Growth by reason; only the reasons that grew. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly stored: number;
  readonly received: number;
  readonly connectionsOpenMax: number | null;
  readonly connectionsLimit: number | null;
  readonly connectionsRefused: number | null;
  readonly queueRatioMax: number | null;
  readonly queueOldestWaitMsMax: number | null;
  readonly memoryRatioMax: number | null;
  readonly eventLoopLagMsMax: number | null;
  readonly gcPauseMs: number | null;
  readonly threads: number;
  readonly commits: number;
  readonly writeMsMean: number | null;
  readonly writeMsP99: number | null;
  /** Time of the writes ÷ (seconds × lanes). */
  readonly writeBusyRatio: number | null;
  readonly syncs: number;
  readonly syncMsMean: number | null;
  readonly syncMsP99: number | null;
  /** Time of the syncs ÷ (seconds × lanes). */
  readonly syncBusyRatio: number | null;
  readonly writeFailures: number;
  readonly syncFailures: number;
  /** Every state that was seen, in the order of appearance. */
  readonly diskStates: readonly string[];
  readonly diskFreeBytesMin: number | null;
  /** Mean of each stage in this level. */
  readonly stagesMs: Readonly<Record<string, number | null>>;
}

export interface LevelEvidence {
  /** How long the load lasted; what counts growth is over all of it. */
  readonly seconds: number;
  /** The target's thread with the most CPU; ratios are of one core. */
  readonly hottestThread: {
    readonly name: string;
    readonly tid: number;
    readonly ratio: number;
    readonly waitRatio: number | null;
  } | null;
  /** Threads with a ratio of at least 0.5. */
  readonly threadsBusy: number | null;
  readonly threadsCount: number | null;
  /** Threads that used less than 0.02 of a core. */
  readonly threadsAsleepAlways: number | null;
  /** CPU of the target, in cores. */
  readonly processCores: number | null;
  /** Seconds that its threads were ready to run and had no core, summed, ÷ seconds. */
  readonly processWaitRatio: number | null;
  readonly coresAllowed: number | null;
  readonly machineCores: number | null;
  /** Busy, with what the hypervisor stole, of all cores. */
  readonly machineRatio: number | null;
  readonly stolenRatio: number | null;
  readonly generatorCores: number | null;
  /** Busy cores that are neither the target's nor the analyser's, nor stolen. */
  readonly otherCores: number | null;
  /** Infinity where there is no quota. */
  readonly quotaCores: number | null;
  readonly throttledPeriodsRatio: number | null;
  readonly throttledMs: number | null;
  readonly descriptorsUsedMax: number | null;
  readonly descriptorsSoft: number | null;
  readonly descriptorsHard: number | null;
  readonly acceptQueueMax: number | null;
  readonly acceptQueueCap: number | null;
  readonly acceptQueueMedian: number | null;
  readonly acceptQueueAsked: number | null;
  readonly somaxconn: number | null;
  /** Growth in the level. */
  readonly listenOverflows: number | null;
  readonly listenDrops: number | null;
  readonly retransmits: number | null;
  readonly establishedMax: number | null;
  readonly unreadBytesMax: number | null;
  readonly unreadSocketsMedian: number | null;
  readonly residentBytesStart: number | null;
  readonly residentBytesEnd: number | null;
  readonly residentBytesMax: number | null;
  /** Infinity where there is none. */
  readonly memoryLimitBytes: number | null;
  readonly memoryAvailableBytesMin: number | null;
  /** Share of the time in which some task of the machine waited for it. */
  readonly pressureMemoryRatio: number | null;
  readonly pressureIoRatio: number | null;
  readonly pressureCpuRatio: number | null;
  /** Share of samples in which some thread of the target was in state D. */
  readonly diskSleepRatio: number | null;
  readonly writtenBytesPerS: number | null;
  readonly timeWaitMax: number | null;
  readonly portsUsedMax: number | null;
  readonly portsAvailable: number | null;
  readonly clientDescriptorsMax: number | null;
  readonly clientDescriptorsSoft: number | null;
  /** Null for any server that is no Tidemark. */
  readonly stats: StatsEvidence | null;
  readonly samples: number;
}

/** Samples inside the load have to span this share of it, or all samples are taken: a level of a moment has few. */
const LOADED_SHARE_MIN = 0.4;

export function summarise(level: Level): LevelEvidence {
  const { samples } = level;
  const loaded = loadedSamples(level);
  // What was the case before the level (a queue of the last one) is not of this level.
  const during = samples.length > 1 ? samples.slice(1) : samples;
  const generatorCores = rateOf(loaded, ({ client }) => client.cpuS);
  const threads = summariseThreads(loaded);
  const processCores = rateOf(loaded, ({ process }) => process?.cpuS);
  const quotaCores = lastFigure(samples, ({ quota }) => quota?.quotaCores);
  const residents = knownFigures(samples, residentBytes);
  const pressure = (figure: Figure) => perSecondOfMs(rateOf(loaded, figure));
  return {
    seconds: level.load.seconds,
    ...threads,
    processCores,
    coresAllowed: lastFigure(samples, ({ process }) => process?.coresAllowed),
    machineCores: lastFigure(samples, ({ machine }) => machine.cores),
    machineRatio: machineShare(loaded, ({ busyS, stolenS }) => sumOf(busyS, stolenS)),
    stolenRatio: machineShare(loaded, ({ stolenS }) => stolenS),
    generatorCores,
    otherCores: otherCores(
      rateOf(loaded, ({ machine }) => machine.busyS),
      processCores,
      generatorCores,
    ),
    quotaCores,
    throttledPeriodsRatio:
      quotaCores === Number.POSITIVE_INFINITY
        ? 0
        : ratioOf(
            growthOf(loaded, ({ quota }) => quota?.throttledPeriods),
            growthOf(loaded, ({ quota }) => quota?.periods),
          ),
    throttledMs: growthOf(samples, ({ quota }) => quota?.throttledMs),
    descriptorsUsedMax: largestFigure(
      during,
      ({ process, stats }) => process?.descriptorsUsed ?? stats?.descriptorsUsed,
    ),
    descriptorsSoft: lastFigure(
      samples,
      ({ process, stats }) => process?.descriptorsSoft ?? stats?.descriptorsSoft,
    ),
    descriptorsHard: lastFigure(
      samples,
      ({ process, stats }) => process?.descriptorsHard ?? stats?.descriptorsHard,
    ),
    acceptQueueMax: largestFigure(during, acceptQueue),
    acceptQueueCap: lastFigure(
      samples,
      ({ network, stats }) => network.acceptQueueCap ?? stats?.acceptQueueCap,
    ),
    acceptQueueMedian: medianFigure(loaded, acceptQueue),
    acceptQueueAsked: lastFigure(samples, ({ stats }) => stats?.acceptQueueAsked),
    somaxconn: lastFigure(samples, ({ network, stats }) => network.somaxconn ?? stats?.somaxconn),
    listenOverflows: growthOf(samples, ({ network }) => network.listenOverflows),
    listenDrops: growthOf(samples, ({ network }) => network.listenDrops),
    retransmits: growthOf(samples, ({ network }) => network.retransmits),
    establishedMax: largestFigure(during, ({ network }) => network.established),
    unreadBytesMax: largestFigure(during, ({ network }) => network.unreadBytes),
    unreadSocketsMedian: medianFigure(loaded, ({ network }) => network.unreadSockets),
    residentBytesStart: residents[0] ?? null,
    residentBytesEnd: residents.at(-1) ?? null,
    residentBytesMax: largestFigure(samples, residentBytes),
    memoryLimitBytes: lastFigure(samples, ({ quota }) => quota?.memoryLimitBytes),
    memoryAvailableBytesMin: smallestFigure(during, ({ machine }) => machine.memoryAvailableBytes),
    pressureMemoryRatio: pressure(({ machine }) => machine.pressureMemoryMs),
    pressureIoRatio: pressure(({ machine }) => machine.pressureIoMs),
    pressureCpuRatio: pressure(({ machine }) => machine.pressureCpuMs),
    writtenBytesPerS: rateOf(loaded, ({ process }) => process?.writtenBytes),
    timeWaitMax: largestFigure(during, ({ client }) => client.timeWaitSockets),
    portsUsedMax: largestFigure(during, ({ client }) => client.portsUsed),
    portsAvailable: lastFigure(samples, ({ client }) => client.portsAvailable),
    clientDescriptorsMax: largestFigure(during, ({ client }) => client.descriptorsUsed),
    clientDescriptorsSoft: lastFigure(samples, ({ client }) => client.descriptorsSoft),
    stats: summariseStats(samples, level.load.seconds),
    samples: samples.length,
  };
}

/** Those between the first send and the last; all where those say too little. */
function loadedSamples({ samples, load }: Level): readonly Sample[] {
  const inside = samples.filter(({ atMs }) => atMs >= 0 && atMs <= load.seconds * 1e3);
  const spanMs = inside.length < 2 ? 0 : inside.at(-1)!.atMs - inside[0]!.atMs;
  return spanMs >= load.seconds * 1e3 * LOADED_SHARE_MIN ? inside : samples;
}

const residentBytes: Figure = ({ process, stats }) => process?.residentBytes ?? stats?.residentBytes;
const acceptQueue: Figure = ({ network, stats }) => network.acceptQueueMax ?? stats?.acceptQueueMax;

function otherCores(busy: number | null, target: number | null, generator: number | null): number | null {
  if (busy === null || target === null || generator === null) return null;
  return Math.max(0, busy - target - generator);
}

function perSecondOfMs(rate: number | null): number | null {
  return rate === null ? null : rate / 1e3;
}

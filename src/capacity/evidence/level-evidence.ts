// A level's samples reduced to the figures that the diagnosis and the report use. Pure: it reads nothing.
// Every figure may be null, "not known here", which is never the same as zero; a diagnosis may not rule out by it.
// Counters in samples are totals, so what is here are differences over the level, never less than zero: where a counter
// went back (the target started again) the difference is null.

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
  /** The loaded time that the shares below are of. */
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

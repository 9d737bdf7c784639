// What is read of both sides several times a second while a level runs. Every figure may be null: "not known here" (no
// /proc, no pid, a container, a target that is no Tidemark), which is never the same as zero.
// Counters are totals since whenever they began; readers take differences. All times are milliseconds unless named.

/** One thread of the target's processes. */
export interface ThreadSample {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  /** CPU seconds so far. */
  readonly cpuS: number;
  /** Seconds it was ready to run and had no core, so far. */
  readonly waitS: number | null;
  /** Scheduler state: R S D Z T … */
  readonly state: string;
}

/** The target's process and its descendants, from /proc/PID; all null or empty without a pid. */
export interface ProcessSample {
  readonly isAlive: boolean;
  readonly threads: readonly ThreadSample[];
  /** CPU seconds of all its processes so far, those of threads and waited-for children that have ended too. */
  readonly cpuS: number | null;
  /** Of the process with the most of its own soft limit used (a master and its workers have a limit each). */
  readonly descriptorsUsed: number | null;
  readonly descriptorsSoft: number | null;
  readonly descriptorsHard: number | null;
  readonly residentBytes: number | null;
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  /** Cores the process may run on. */
  readonly coresAllowed: number | null;
}

/** The target's control group (version 1 or 2). */
export interface QuotaSample {
  /** Infinity where there is no quota. */
  readonly quotaCores: number | null;
  readonly periods: number | null;
  readonly throttledPeriods: number | null;
  readonly throttledMs: number | null;
  readonly memoryBytes: number | null;
  /** Infinity where there is none. */
  readonly memoryLimitBytes: number | null;
}

/** The machine as the analyser sees it; the server's too only where the target is on this machine and in its network namespace. */
export interface MachineSample {
  /** CPU seconds of all cores so far, by use; "stolen" is the hypervisor's. */
  readonly cores: number | null;
  readonly busyS: number | null;
  readonly stolenS: number | null;
  readonly idleS: number | null;
  /** /proc/pressure "some" totals. */
  readonly pressureCpuMs: number | null;
  readonly pressureIoMs: number | null;
  readonly pressureMemoryMs: number | null;
  readonly memoryAvailableBytes: number | null;
}

/** The network as the target's namespace sees it (/proc/PID/net), or the analyser's own for a local target without a pid. */
export interface NetworkSample {
  /** Sockets that listen on the target's port. */
  readonly listeners: number | null;
  /** Connections that wait to be accepted, in the fullest of them. */
  readonly acceptQueueMax: number | null;
  /** Length at which the kernel refuses: the smaller of backlog and somaxconn (ss -ltn: Send-Q). */
  readonly acceptQueueCap: number | null;
  readonly somaxconn: number | null;
  /** TcpExt ListenOverflows, ListenDrops: of the namespace, since boot. */
  readonly listenOverflows: number | null;
  readonly listenDrops: number | null;
  readonly retransmits: number | null;
  /** Connections to the target's port, as the server's side holds them: established, and closed by the client (CLOSE-WAIT). */
  readonly established: number | null;
  /** Bytes that have arrived at the server's sockets and it has not read: Recv-Q of established sockets, summed. */
  readonly unreadBytes: number | null;
  /** Of those sockets, how many hold unread bytes. */
  readonly unreadSockets: number | null;
}

/** The generator's own side. */
export interface ClientSample {
  readonly descriptorsUsed: number | null;
  readonly descriptorsSoft: number | null;
  /** Time-wait sockets of the namespace, and ports a client may use. */
  readonly timeWaitSockets: number | null;
  readonly portsUsed: number | null;
  readonly portsAvailable: number | null;
  /** CPU seconds of the analyser's process so far. */
  readonly cpuS: number | null;
}

/** What a Tidemark says in GET /stats, reduced to what the diagnosis uses. Null as a whole for any other server. */
export interface StatsSample {
  readonly version: string;
  readonly ack: string | null;
  readonly received: number;
  readonly stored: number;
  /** By reason. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly inFlight: number | null;
  readonly connectionsOpen: number | null;
  readonly connectionsLimit: number | null;
  readonly connectionsRefused: number | null;
  readonly descriptorsUsed: number | null;
  readonly descriptorsSoft: number | null;
  readonly descriptorsHard: number | null;
  readonly acceptQueueMax: number | null;
  readonly acceptQueueCap: number | null;
  readonly acceptQueueAsked: number | null;
  readonly somaxconn: number | null;
  readonly queueBytes: number | null;
  readonly queueBytesLimit: number | null;
  readonly queueOldestWaitMs: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryBudgetBytes: number | null;
  readonly residentBytes: number | null;
  readonly gcPauseMs: number | null;
  /** Longest of the last second, of any ingest thread. */
  readonly eventLoopLagMs: number | null;
  readonly threads: number;
  readonly commits: number;
  readonly writeFailures: number;
  /** Count × mean of all writes so far: time spent in write(2). */
  readonly writeMsTotal: number | null;
  readonly writeMsP99: number | null;
  readonly batchesPerCommitMean: number | null;
  readonly syncs: number;
  readonly syncFailures: number;
  readonly syncMsTotal: number | null;
  readonly syncMsP99: number | null;
  readonly diskState: string | null;
  readonly diskFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
  /** Mean of each stage so far, milliseconds, and how many were sampled: the latency budget. */
  readonly stagesMs: Readonly<Record<string, { readonly count: number; readonly mean: number | null }>>;
}

/** All of it at one moment. */
export interface Sample {
  /** Since the level's start; the first is taken before it (0 or less). */
  readonly atMs: number;
  readonly process: ProcessSample | null;
  readonly quota: QuotaSample | null;
  readonly machine: MachineSample;
  readonly network: NetworkSample;
  readonly client: ClientSample;
  readonly stats: StatsSample | null;
}

/** How often a sample is taken while a level runs, milliseconds. */
export const SAMPLE_INTERVAL_MS = 250;

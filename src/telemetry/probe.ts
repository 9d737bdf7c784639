// The probe: once a second the main thread reads what the operating system knows of this process and writes it into
// the shared region, where any ingest thread finds it when it is asked for /stats or /metrics.
// What cannot be read is NaN ("not known"), never 0. A reading never throws: the server serves without its probe.
// Rates need two readings, so after the first they are not known either. Counts of the kernel's network (overflows,
// time-wait) are of the whole network namespace, not of this process alone; there are no others.

import type { Clock } from "../base/clock.ts";
import type { OsFiles } from "../base/os-files.ts";
import {
  type AcceptQueues,
  type CoreTicks,
  parseAcceptQueues,
  parseAllowedCores,
  parseCgroupFolders,
  parseCoreTicks,
  parseDescriptorLimits,
  parseKeyed,
  parseNetstat,
  parseNumber,
  parsePressure,
  parseQuotaCores,
  parseStatusBytes,
  parseTaskStat,
  parseTimeWait,
  parseWaitSeconds,
} from "../base/proc-texts.ts";
import { PROBE_INTERVAL_MS } from "../limits.ts";
import {
  beginWrite,
  endWrite,
  FIELD,
  PROBE_FIELD,
  PROBE_FIELDS,
  PROBE_THREAD_FIELD,
  type ProbeField,
  type ProbeRegion,
  probeRegion,
  type TelemetryMemory,
  telemetryThreads,
  threadRegion,
} from "./counters.layout.ts";

/** What this server is, for the probe: fixed once it listens. */
export interface ProbeTarget {
  port: number;
  /** --backlog, as asked for. */
  backlog: number;
  /** Folder whose file system is watched. */
  dataFolder: string;
  /** Written by the main thread's work on the log, as it goes on. */
  log?: LogFigures;
}

/** What the main thread has done to the log: the scrub, and the repair of lanes that no ingest thread owns. */
export interface LogFigures {
  scrubbedBytes: number;
  scrubRounds: number;
  damagedRecords: number;
  quarantinedBytes: number;
}

interface TaskTimes {
  cpuSeconds: number;
  waitSeconds: number;
}

const SMALL_TEXT_BYTES = 8 * 1024;
const TABLE_TEXT_BYTES = 64 * 1024;
const LISTEN_TABLES: readonly string[] = ["/proc/net/tcp", "/proc/net/tcp6"];
const CGROUP_MOUNT = "/sys/fs/cgroup";

export class Probe {
  private readonly files: OsFiles;
  private readonly clock: Clock;
  private readonly target: ProbeTarget;
  private readonly region: ProbeRegion;
  /** The fields of each ingest thread: its operating-system number is there, and changes when it is replaced. */
  private readonly threadFields: Float64Array[];
  private readonly figures = new Float64Array(PROBE_FIELDS.length);
  private readonly cgroupFolders: string[];
  private busiestOtherName = "";
  private tasksBefore = new Map<number, TaskTimes>();
  private processSecondsBefore = Number.NaN;
  private coreTicksBefore: CoreTicks | null = null;
  private readAtMsBefore = Number.NaN;
  private listenTables = LISTEN_TABLES;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(shared: TelemetryMemory, files: OsFiles, clock: Clock, target: ProbeTarget) {
    this.files = files;
    this.clock = clock;
    this.target = target;
    this.region = probeRegion(shared);
    const threads = telemetryThreads(shared);
    this.threadFields = Array.from({ length: threads }, (_, thread) => threadRegion(shared, thread).fields);
    this.cgroupFolders = parseCgroupFolders(this.small("/proc/self/cgroup"), CGROUP_MOUNT);
  }

  /** Reads now and once a second until close(). Does not keep the process alive. */
  start(): void {
    this.read();
    this.timer = setInterval(() => this.read(), PROBE_INTERVAL_MS);
    this.timer.unref();
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** One reading, written to the shared region. */
  read(): void {
    const startMs = this.clock.monotonicMs();
    const seconds = (startMs - this.readAtMsBefore) / 1e3;
    this.readAtMsBefore = startMs;
    this.figures.fill(Number.NaN);
    this.readDescriptors();
    this.readMemoryAndCores(seconds);
    const threads = this.readTasks(seconds);
    this.readAcceptQueue();
    this.readNetwork();
    this.readQuota();
    this.readPressure();
    this.readDisk();
    this.readLog();
    this.put("readAtMs", this.clock.wallMs());
    this.put("probeMs", this.clock.monotonicMs() - startMs);
    this.publish(threads);
  }

  private readDescriptors(): void {
    const limits = parseDescriptorLimits(this.small("/proc/self/limits"));
    this.put("descriptorsUsed", this.files.countDescriptors() ?? Number.NaN);
    this.put("descriptorsSoft", limits.soft);
    this.put("descriptorsHard", limits.hard);
  }

  private readMemoryAndCores(seconds: number): void {
    const status = this.small("/proc/self/status");
    this.put("residentBytes", parseStatusBytes(status, "VmRSS"));
    this.put("residentBytesMax", parseStatusBytes(status, "VmHWM"));
    const cores = parseAllowedCores(status);
    this.put("coresAllowed", cores.length === 0 ? Number.NaN : cores.length);
    const ticks = parseCoreTicks(this.table("/proc/stat"), cores);
    const before = this.coreTicksBefore;
    if (ticks !== null && before !== null && ticks.total > before.total) {
      this.put("coresBusy", (cores.length * (ticks.busy - before.busy)) / (ticks.total - before.total));
    }
    this.coreTicksBefore = ticks;
    const process = parseTaskStat(this.small("/proc/self/stat"));
    const processSeconds = process?.cpuSeconds ?? Number.NaN;
    this.put("processCpuSeconds", processSeconds);
    this.put("processCpuRatio", rate(processSeconds, this.processSecondsBefore, seconds));
    this.processSecondsBefore = processSeconds;
  }

  /** CPU of every thread of the process; returns the figures of the ingest threads. */
  private readTasks(seconds: number): Float64Array[] {
    const ingest = this.region.threads.map((thread) => new Float64Array(thread.length).fill(Number.NaN));
    const ingestIds = this.threadFields.map((fields) => fields[FIELD.threadId]!);
    const tasks = new Map<number, TaskTimes>();
    let busiestRatio = Number.NaN;
    this.busiestOtherName = "";
    for (const entry of this.files.list("/proc/self/task") ?? []) {
      const id = Number(entry);
      const stat = parseTaskStat(this.small(`/proc/self/task/${entry}/stat`));
      if (stat === null) continue; // it ended between the listing and the reading
      const thread = ingestIds.indexOf(id);
      const waitSeconds =
        thread < 0 ? Number.NaN : parseWaitSeconds(this.small(`/proc/self/task/${entry}/schedstat`));
      const before = this.tasksBefore.get(id);
      const cpuRatio = rate(stat.cpuSeconds, before?.cpuSeconds ?? Number.NaN, seconds);
      tasks.set(id, { cpuSeconds: stat.cpuSeconds, waitSeconds });
      if (thread >= 0) {
        const figures = ingest[thread]!;
        figures[PROBE_THREAD_FIELD.cpuSeconds] = stat.cpuSeconds;
        figures[PROBE_THREAD_FIELD.cpuRatio] = cpuRatio;
        figures[PROBE_THREAD_FIELD.waitRatio] = rate(waitSeconds, before?.waitSeconds ?? Number.NaN, seconds);
      } else if (cpuRatio >= 0 && !(cpuRatio <= busiestRatio)) {
        busiestRatio = cpuRatio;
        this.busiestOtherName = stat.name;
        this.put("busiestOtherId", id);
        this.put("busiestOtherCpuRatio", cpuRatio);
      }
    }
    this.tasksBefore = tasks;
    return ingest;
  }

  private readAcceptQueue(): void {
    const { port, backlog } = this.target;
    const queues: AcceptQueues[] = [];
    for (const path of this.listenTables) {
      const found = this.readListeners(path, port);
      if (found !== null) queues.push(found);
      if (found !== null && found.sockets > 0) {
        this.listenTables = [path]; // an address is of one family: the other table is not read again
        break;
      }
    }
    const sockets = queues.reduce((sum, queue) => sum + queue.sockets, 0);
    if (queues.length > 0) this.put("listeningSockets", sockets);
    if (sockets > 0) {
      this.put(
        "acceptQueueLength",
        queues.reduce((sum, queue) => sum + queue.length, 0),
      );
      this.put("acceptQueueLengthMax", Math.max(...queues.map((queue) => queue.lengthMax)));
    } else {
      this.listenTables = LISTEN_TABLES;
    }
    const somaxconn = parseNumber(this.small("/proc/sys/net/core/somaxconn"));
    this.put("acceptQueueAsked", backlog);
    this.put("somaxconn", somaxconn);
    this.put("acceptQueueCap", Math.min(backlog, somaxconn));
  }

  /**
   * Listeners come first, so the table is read in growing pieces until another row shows. To its end it is read only
   * where hardly anybody is connected: then the kernel walks all its buckets, 4 ms on a machine of 16 GiB.
   */
  private readListeners(path: string, port: number): AcceptQueues | null {
    for (let bytes = SMALL_TEXT_BYTES; ; bytes *= 4) {
      const bytesMax = Math.min(bytes, TABLE_TEXT_BYTES);
      const text = this.files.readText(path, bytesMax);
      const queues = parseAcceptQueues(text, port);
      const isEnd = text === null || text.length < bytesMax || bytesMax === TABLE_TEXT_BYTES;
      if (queues === null || queues.isWhole || isEnd) return queues;
    }
  }

  private readNetwork(): void {
    const netstat = this.small("/proc/net/netstat");
    this.put("listenOverflows", parseNetstat(netstat, "TcpExt", "ListenOverflows"));
    this.put("listenDrops", parseNetstat(netstat, "TcpExt", "ListenDrops"));
    this.put("timeWaitSockets", parseTimeWait(this.small("/proc/net/sockstat")));
  }

  /** The tightest quota of this control group and those above it, and how often that one held us back. */
  private readQuota(): void {
    let quotaCores = Number.NaN;
    let folderOfQuota: string | null = null;
    for (const folder of this.cgroupFolders) {
      const cores = parseQuotaCores(this.small(`${folder}/cpu.max`));
      if (Number.isNaN(cores) || cores >= quotaCores) continue;
      quotaCores = cores;
      folderOfQuota = folder;
    }
    if (folderOfQuota === null) return;
    const stat = this.small(`${folderOfQuota}/cpu.stat`);
    this.put("cpuQuotaCores", quotaCores);
    this.put("cpuPeriods", parseKeyed(stat, "nr_periods"));
    this.put("cpuPeriodsThrottled", parseKeyed(stat, "nr_throttled"));
    this.put("cpuThrottledMs", parseKeyed(stat, "throttled_usec") / 1e3);
  }

  private readPressure(): void {
    const cpu = parsePressure(this.small("/proc/pressure/cpu"));
    const io = parsePressure(this.small("/proc/pressure/io"));
    const memory = parsePressure(this.small("/proc/pressure/memory"));
    this.put("pressureCpuRatio", cpu.ratio);
    this.put("pressureIoRatio", io.ratio);
    this.put("pressureMemoryRatio", memory.ratio);
    this.put("pressureCpuMs", cpu.totalMs);
    this.put("pressureIoMs", io.totalMs);
    this.put("pressureMemoryMs", memory.totalMs);
  }

  private readDisk(): void {
    const space = this.files.diskSpace(this.target.dataFolder);
    this.put("diskFreeBytes", space?.freeBytes ?? Number.NaN);
    this.put("diskTotalBytes", space?.totalBytes ?? Number.NaN);
  }

  private readLog(): void {
    const { log } = this.target;
    if (log === undefined) return;
    this.put("scrubbedBytes", log.scrubbedBytes);
    this.put("scrubRounds", log.scrubRounds);
    this.put("mainDamagedRecords", log.damagedRecords);
    this.put("mainQuarantinedBytes", log.quarantinedBytes);
  }

  private publish(threads: Float64Array[]): void {
    const { lock, figures, threads: shared, busiestOtherName } = this.region;
    beginWrite(lock);
    figures.set(this.figures);
    for (let index = 0; index < shared.length; index++) shared[index]!.set(threads[index]!);
    for (let index = 0; index < busiestOtherName.length; index++) {
      busiestOtherName[index] = this.busiestOtherName.charCodeAt(index); // past the end NaN, which is stored as 0
    }
    endWrite(lock);
  }

  private put(field: ProbeField, value: number): void {
    this.figures[PROBE_FIELD[field]] = value;
  }

  private small(path: string): string | null {
    return this.files.readText(path, SMALL_TEXT_BYTES);
  }

  private table(path: string): string | null {
    return this.files.readText(path, TABLE_TEXT_BYTES);
  }
}

/** NaN where either reading is unknown or the count began anew. */
function rate(now: number, before: number, seconds: number): number {
  const ratio = (now - before) / seconds;
  return ratio >= 0 ? ratio : Number.NaN;
}

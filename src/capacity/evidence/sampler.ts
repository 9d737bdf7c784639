// Reads both sides at one moment, and again and again while work is done. On the analyser's main thread, beside the
// generator's threads: a sample has to cost little. It never throws; what is missing here is null.

import { openOsFiles, type ProcFiles } from "../../base/os-files.ts";
import { type AcceptQueueCap, readAcceptQueueCap } from "./accept-queue-cap.ts";
import { readClient, UNKNOWN_CLIENT } from "./client-reader.ts";
import { readMachine } from "./machine-reader.ts";
import { readNetwork } from "./network-reader.ts";
import { ProcessReader } from "./process-reader.ts";
import { QuotaReader } from "./quota-reader.ts";
import { SAMPLE_INTERVAL_MS, type Sample } from "./sample.ts";
import { SocketReader } from "./socket-reader.ts";
import { StatsReader } from "./stats-reader.ts";

export interface SamplerOptions {
  readonly pid: number | null;
  readonly port: number;
  readonly host: string;
  readonly isLocal: boolean;
  /** The load is made by this process; where it is not, nothing is known of the generator's side. */
  readonly hasGenerator?: boolean;
  /** Of a Tidemark. */
  readonly statsUrl: string | null;
  readonly files?: ProcFiles;
  /** Wall clock, milliseconds since 1970. */
  now?(): number;
}

export interface Sampler {
  /** `startedAtMs`: when the level began, of the same clock as `now`. A new one is a new level. */
  sample(startedAtMs: number): Promise<Sample>;
  readonly now: () => number;
  close(): void;
}

const OWN_NETWORK = "/proc/net";
const UNKNOWN_CAP: AcceptQueueCap = { cap: null, somaxconn: null };
/** The last sample's counters are what the level's growth is taken from, so its answer is asked for again. */
const LAST_STATS_TRIES = 5;

export function openSampler(options: SamplerOptions): Sampler {
  const {
    pid,
    port,
    isLocal,
    hasGenerator = true,
    statsUrl,
    files = openOsFiles(),
    now = Date.now,
  } = options;
  const isElsewhere = pid !== null && isOtherNamespace(files, pid);
  const targetNetwork = isElsewhere ? `/proc/${pid}/net` : isLocal || pid !== null ? OWN_NETWORK : null;
  const ownSockets = new SocketReader(files, OWN_NETWORK, port);
  const targetSockets = isElsewhere ? new SocketReader(files, `/proc/${pid}/net`, port) : null;
  const processReader = pid === null ? null : new ProcessReader(files, pid);
  const quotaReader = pid === null ? null : new QuotaReader(files, pid);
  const statsReader = statsUrl === null ? null : new StatsReader(statsUrl);
  let levelAtMs = Number.NaN;
  let cap = UNKNOWN_CAP;

  return {
    now,
    async sample(startedAtMs) {
      if (startedAtMs !== levelAtMs) {
        levelAtMs = startedAtMs;
        if (targetNetwork !== null) cap = await readAcceptQueueCap(files, port, isElsewhere ? pid : null);
      }
      const stats = statsReader?.read() ?? null;
      const atMs = now() - startedAtMs;
      const own = ownSockets.read();
      const sockets = targetNetwork === null ? null : (targetSockets?.read() ?? own);
      const sides = {
        process: processReader?.read(now()) ?? null,
        quota: quotaReader?.read(now()) ?? null,
        machine: readMachine(files),
        network: readNetwork(files, targetNetwork, sockets, cap),
        client: hasGenerator ? readClient(files, own) : UNKNOWN_CLIENT,
      };
      return { atMs, ...sides, stats: await stats };
    },
    close() {
      statsReader?.close();
      ownSockets.close();
      targetSockets?.close();
    },
  };
}

/**
 * Samples before, every SAMPLE_INTERVAL_MS during, and after the work; a beat that falls into a sample is skipped.
 * Times in samples count from when the work was begun, or from when its result says that it really began.
 */
export async function recordWhile<T>(
  sampler: Sampler,
  work: (startedAtMs: number) => Promise<T>,
  startOf?: (result: T) => number,
): Promise<{ result: T; samples: Sample[] }> {
  const levelAtMs = sampler.now();
  const samples = [await sampler.sample(levelAtMs)];
  const startedAtMs = sampler.now();
  let underWay: Promise<void> | null = null;
  const take = async (): Promise<void> => {
    samples.push(await sampler.sample(levelAtMs));
    underWay = null;
  };
  const timer = setInterval(() => {
    underWay ??= take();
  }, SAMPLE_INTERVAL_MS);
  try {
    const result = await work(startedAtMs);
    clearInterval(timer);
    await underWay;
    await takeLast(samples, take);
    const shiftMs = levelAtMs - (startOf?.(result) ?? startedAtMs);
    return { result, samples: samples.map((sample) => ({ ...sample, atMs: sample.atMs + shiftMs })) };
  } finally {
    clearInterval(timer);
    await underWay;
  }
}

/** Until a server that has answered before answers again, or has been asked enough. */
async function takeLast(samples: Sample[], take: () => Promise<void>): Promise<void> {
  const knowsStats = samples.some(({ stats }) => stats !== null);
  for (let tries = 1; ; tries++) {
    await take();
    if (!knowsStats || samples.at(-1)!.stats !== null || tries === LAST_STATS_TRIES) return;
    samples.pop();
  }
}

/** Only where both can be seen and differ. */
function isOtherNamespace(files: ProcFiles, pid: number): boolean {
  const own = files.readLink("/proc/self/ns/net");
  const other = files.readLink(`/proc/${pid}/ns/net`);
  return own !== null && other !== null && own !== other;
}

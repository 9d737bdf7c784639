// The doctor's round: measures what has to be measured, hands it with the seam to every check, and gathers what they
// found. Runs on the main thread of the command, needs no server, and changes nothing: the only thing it writes is the
// disk trial's file in the data folder, which is gone again before the answer.
//
// Left out, because they do not change how much a server of small requests can take: TCP buffer sizes, interrupt
// affinity, I/O schedulers, swappiness as long as nothing is swapped, transparent huge pages (see check-memory.ts).

import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { checkClientPorts, checkConntrack } from "./check-client-ports.ts";
import { type ClockTrial, checkClockSet, checkClockSource, tryClock } from "./check-clock.ts";
import { checkContention, checkCores, coresAllowed } from "./check-cores.ts";
import { checkDescriptors, checkSystemFiles } from "./check-descriptors.ts";
import { checkListenQueue } from "./check-listen-queue.ts";
import { checkMemory } from "./check-memory.ts";
import { checkKernel, checkPort, checkRuntime, type PortAnswer, type Runtime } from "./check-runtime.ts";
import { checkDataFolder, checkSpace, checkSyncSpeed, checkWriteSpeed } from "./check-storage.ts";
import { type DataFolder, lookAtDataFolder } from "./data-folder.ts";
import { type DiskTrial, tryDisk } from "./disk-trial.ts";
import type { Finding, Wish } from "./finding.ts";
import { clientsFit, type FirstLimit, firstLimits } from "./first-limit.ts";
import type { Machine, Platform } from "./machine.ts";

/** The server's default. */
export const PORT_DEFAULT = 8080;
const CONNECT_MS_MAX = 300;
/** Steal is told in hundredths of a second: of half a second on two cores, one is 1 %. */
const WATCH_MS = 500;

export interface Question extends Wish {
  readonly dataFolder: string;
}

/** What is known without asking the seam. */
export interface Circumstances {
  readonly runtime: Runtime;
  readonly kernelRelease: string;
  /** Cores, where affinity is not told. */
  readonly cores: number;
}

/** What was measured or tried. */
export interface Trials {
  readonly folder: DataFolder;
  readonly disk: DiskTrial;
  readonly clock: ClockTrial;
  readonly wallMs: number;
  /** /proc/stat before and after the disk trial. */
  readonly stat: readonly [before: string | null, after: string | null];
  readonly port: PortAnswer;
}

export interface Examination {
  readonly platform: Platform;
  readonly question: Question;
  readonly findings: readonly Finding[];
  readonly limits: readonly FirstLimit[];
  /** Null where nothing was asked, or it is not known. */
  readonly doClientsFit: boolean | null;
}

export async function runTrials(machine: Machine, question: Question): Promise<Trials> {
  const folder = lookAtDataFolder(question.dataFolder);
  const clock = tryClock();
  const before = machine.readText("/proc/stat");
  const start = performance.now();
  const disk = await tryDisk(folder);
  if (before !== null) await pause(Math.max(0, WATCH_MS - (performance.now() - start)));
  const after = machine.readText("/proc/stat");
  const port = await tryPort(PORT_DEFAULT);
  return { folder, disk, clock, wallMs: Date.now(), stat: [before, after], port };
}

/** Pure over the seam. */
export function examine(
  machine: Machine,
  question: Question,
  circumstances: Circumstances,
  trials: Trials,
): Examination {
  const threads = coresAllowed(machine, circumstances.cores);
  const findings = [
    checkDescriptors(machine, question, threads),
    checkSystemFiles(machine, question),
    checkListenQueue(machine, question, threads),
    checkClientPorts(machine, question),
    checkConntrack(machine, question),
    checkDataFolder(machine, trials.folder, trials.disk),
    checkSyncSpeed(machine, trials.folder, trials.disk),
    checkWriteSpeed(trials.disk),
    checkSpace(trials.folder),
    checkCores(machine, circumstances.cores),
    checkContention(machine, ...trials.stat),
    checkMemory(machine, question, threads),
    checkClockSource(machine, trials.clock),
    checkClockSet(machine, trials.wallMs),
    checkRuntime(machine, circumstances.runtime),
    checkKernel(machine, circumstances.kernelRelease),
    checkPort(PORT_DEFAULT, trials.port),
  ].filter((finding) => finding !== null);
  const limits = firstLimits(findings);
  return {
    platform: machine.platform,
    question,
    findings,
    limits,
    doClientsFit: clientsFit(limits, question),
  };
}

/** 1 where something is bad; a warning is none. */
export function exitCodeOf(examination: Examination): number {
  return examination.findings.some(({ verdict }) => verdict === "bad") ? 1 : 0;
}

function tryPort(port: number): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (answer: PortAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS_MAX, () => end("unknown"));
    socket.once("connect", () => end("listening"));
    socket.once("error", (error) =>
      end((error as NodeJS.ErrnoException).code === "ECONNREFUSED" ? "free" : "unknown"),
    );
  });
}

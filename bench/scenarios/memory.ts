// What a connection costs while it does nothing, and what the server costs while it does all it can.
// Measured in a fresh process, with no load before: a heap that has grown once would hide what connections take.
import { type Contender, type RunningServer, withServer } from "../contender.ts";
import { withFolder, writeBody } from "../folder.ts";
import { Holder } from "../load/holder.ts";
import { findMissingWrk, runLoad, writeLoadScript } from "../load/wrk.ts";
import type { Options } from "../options.ts";
import { formatKibibytes, formatMebibytes, print } from "../print.ts";
import { readTreeResidentBytes } from "../process-tree.ts";
import { findRuntime } from "../programs.ts";
import type { MemoryFigures, Result } from "../result.ts";
import { makeBatches } from "../workload.ts";

const CONNECTIONS = 10_000;
/** Time for a collector to do what it does when nothing is asked of it. */
const SETTLE_MS = 2_000;
const RESIDENT_SAMPLE_MS = 100;

export async function runMemory(
  contenders: readonly Contender[],
  options: Options,
  projectFolder: string,
): Promise<Omit<Result, "date" | "machine">> {
  const node = findRuntime("node", projectFolder)!;
  const figures: MemoryFigures[] = [];
  for (const contender of contenders) {
    figures.push(await measureContender(contender, node, options));
  }
  return {
    scenario: "memory",
    title: "resident memory, one thread",
    settings: { seconds: options.seconds, connections: CONNECTIONS, settleMs: SETTLE_MS },
    figures,
  };
}

async function measureContender(
  contender: Contender,
  node: string,
  options: Options,
): Promise<MemoryFigures> {
  const blank: MemoryFigures = {
    contender: contender.id,
    label: contender.label,
    skipped: contender.missing() ?? findMissingWrk(),
    connections: CONNECTIONS,
    startedResidentBytes: null,
    silentBytesPerConnection: null,
    idleBytesPerConnection: null,
    fullRateResidentBytes: null,
  };
  if (blank.skipped !== null) return blank;
  try {
    const held = await withFolder((folder, serverFolder) =>
      withServer(contender, serverFolder, (server) => measureHeld(server, node, writeBody(folder))),
    );
    const fullRateResidentBytes = await withFolder((folder, serverFolder) =>
      withServer(contender, serverFolder, async (server) => {
        const script = writeLoadScript(folder, contender, makeBatches(64, 3, Date.now()));
        return measureFullRate(server, script, options.warmSeconds + options.seconds);
      }),
    );
    print(
      `  ${contender.label.padEnd(34)} started ${formatMebibytes(held.startedResidentBytes)}` +
        `, silent ${formatKibibytes(held.silentBytesPerConnection)}, idle ${formatKibibytes(held.idleBytesPerConnection)}` +
        `, full rate ${formatMebibytes(fullRateResidentBytes)}`,
    );
    return { ...blank, ...held, fullRateResidentBytes };
  } catch (error) {
    return { ...blank, skipped: (error as Error).message };
  }
}

async function measureHeld(server: RunningServer, node: string, body: string) {
  const holder = new Holder(node, server.port, CONNECTIONS, body);
  try {
    const startedResidentBytes = await readSettled(server);
    const { open } = await holder.ask("open");
    const silentResidentBytes = await readSettled(server);
    const { answered } = await holder.ask("send");
    const idleResidentBytes = await readSettled(server);
    if (open < CONNECTIONS || answered < CONNECTIONS) {
      throw new Error(
        `cannot measure because only ${open} of ${CONNECTIONS} opened and ${answered} were answered`,
      );
    }
    return {
      startedResidentBytes,
      silentBytesPerConnection: (silentResidentBytes - startedResidentBytes) / CONNECTIONS,
      idleBytesPerConnection: (idleResidentBytes - startedResidentBytes) / CONNECTIONS,
    };
  } finally {
    await holder.close();
  }
}

async function readSettled(server: RunningServer): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return readTreeResidentBytes(server.child.pid!);
}

async function measureFullRate(server: RunningServer, script: string, seconds: number): Promise<number> {
  let highestBytes = 0;
  const sampler = setInterval(() => {
    highestBytes = Math.max(highestBytes, readTreeResidentBytes(server.child.pid!));
  }, RESIDENT_SAMPLE_MS);
  try {
    await runLoad(server, script, 64, seconds);
  } finally {
    clearInterval(sampler);
  }
  return highestBytes;
}

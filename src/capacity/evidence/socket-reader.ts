// The sockets of one network namespace, as often as is cheap: the accept queue and the connections to one port. A table
// costs between 0.1 and 20 ms to read, depending on how much else is in it, so after each reading the next waits until
// this one's time is a hundredth of what has passed. What was not read this time is null, not what it was before.

import type { ProcFiles } from "../../base/os-files.ts";
import { parseSocketsInUse, parseTimeWait } from "../../base/proc-texts.ts";
import { readSocketTable, type SocketTable, scaleOf } from "./socket-table.ts";

export interface SocketFigures {
  readonly listeners: number | null;
  readonly acceptQueueMax: number | null;
  readonly established: number | null;
  readonly unreadBytes: number | null;
  readonly unreadSockets: number | null;
  /** Ports of this namespace held by connections to the port, time-wait too. */
  readonly clientEnds: number | null;
}

/** Share of one core that each of the two kinds of reading may take. */
const COST_SHARE_MAX = 0.01;
/** Past this many rows the rest is reckoned from them: with 2,000 of 20,000 to within 3 %. */
export const ROWS_MAX = 2_000;
const SMALL_BYTES_MAX = 4 * 1024;

export class SocketReader {
  private readonly files: ProcFiles;
  private readonly folder: string;
  private readonly port: number;
  private readonly monotonicMs: () => number;
  /** Tables in which the port is listened on; both until it was found. */
  private listenTables: readonly string[];
  private listenersDueMs = Number.NEGATIVE_INFINITY;
  private rowsDueMs = Number.NEGATIVE_INFINITY;

  /** `folder` is /proc/net, or /proc/PID/net for the namespace of another process. */
  constructor(files: ProcFiles, folder: string, port: number, monotonicMs = () => performance.now()) {
    this.files = files;
    this.folder = folder;
    this.port = port;
    this.monotonicMs = monotonicMs;
    this.listenTables = ["tcp", "tcp6"];
  }

  read(): SocketFigures {
    const startMs = this.monotonicMs();
    if (startMs < this.rowsDueMs)
      return startMs < this.listenersDueMs ? NOTHING : this.readListeners(startMs);
    const figures = this.readRows();
    this.rowsDueMs = startMs + (this.monotonicMs() - startMs) / COST_SHARE_MAX;
    return figures;
  }

  private readListeners(startMs: number): SocketFigures {
    const tables = this.listenTables
      .map((name) => readSocketTable(this.files, `${this.folder}/${name}`, this.port, 0))
      .filter((table) => table !== null);
    this.listenersDueMs = startMs + (this.monotonicMs() - startMs) / COST_SHARE_MAX;
    if (tables.length === 0) return NOTHING;
    return { ...NOTHING, ...listenersOf(tables) };
  }

  private readRows(): SocketFigures {
    const timeWait = known(parseTimeWait(this.small("sockstat")));
    const figures = { established: 0, unreadBytes: 0, unreadSockets: 0, clientEnds: 0 };
    const tables: SocketTable[] = [];
    const listenTables: string[] = [];
    for (const name of ["tcp", "tcp6"]) {
      const inUse = parseSocketsInUse(this.small(name === "tcp" ? "sockstat" : "sockstat6"));
      if (name === "tcp6" && inUse === 0) continue;
      const table = readSocketTable(this.files, `${this.folder}/${name}`, this.port, ROWS_MAX);
      if (table === null) continue;
      tables.push(table);
      if (table.listeners > 0) listenTables.push(name);
      const scale = scaleOf(table, known(inUse) + timeWait);
      figures.established += Math.round(table.established * scale);
      figures.unreadBytes += Math.round(table.unreadBytes * scale);
      figures.unreadSockets += Math.round(table.unreadSockets * scale);
      figures.clientEnds += Math.round(table.clientEnds * scale);
    }
    if (tables.length === 0) return NOTHING;
    this.listenTables = listenTables.length > 0 ? listenTables : ["tcp", "tcp6"];
    return { ...figures, ...listenersOf(tables) };
  }

  private small(name: string): string | null {
    return this.files.readText(`${this.folder}/${name}`, SMALL_BYTES_MAX);
  }
}

const NOTHING: SocketFigures = {
  listeners: null,
  acceptQueueMax: null,
  established: null,
  unreadBytes: null,
  unreadSockets: null,
  clientEnds: null,
};

function listenersOf(tables: readonly SocketTable[]): Pick<SocketFigures, "listeners" | "acceptQueueMax"> {
  const listeners = tables.reduce((sum, table) => sum + table.listeners, 0);
  const acceptQueueMax =
    listeners === 0 ? null : Math.max(...tables.map(({ acceptQueueMax }) => acceptQueueMax));
  return { listeners, acceptQueueMax };
}

function known(figure: number): number {
  return Number.isNaN(figure) ? 0 : figure;
}

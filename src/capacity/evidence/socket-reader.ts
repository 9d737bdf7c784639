// The sockets of one network namespace, as often as is cheap: the accept queue and the connections of one port.
// A table is read a part at a time, so that no sample holds a core for long, and after each reading the next waits until
// this one's time is a hundredth of what has passed. What was not come by this time is null, not what it was before.

import type { ProcFiles } from "../../base/os-files.ts";
import { parseSocketsInUse } from "../../base/proc-texts.ts";
import { openSocketTable, readListeners, type SocketCounts, type SocketTable } from "./socket-table.ts";

export interface SocketFigures {
  readonly listeners: number | null;
  readonly acceptQueueMax: number | null;
  readonly established: number | null;
  readonly unreadBytes: number | null;
  readonly unreadSockets: number | null;
  /** Ports of this namespace held by connections to the port, time-wait too. */
  readonly clientEnds: number | null;
}

const TABLES: readonly string[] = ["tcp", "tcp6"];
/** Share of one core that each of the two kinds of reading may take. */
const COST_SHARE_MAX = 0.01;
/** Rows read at once: 5 to 7 ms of CPU. 10,000 connections over loopback are whole after ten samples. */
export const ROWS_AT_ONCE = 2_000;
/** An accept queue is full and empty again within a second, so it is looked at this often whatever it costs. */
const LISTENERS_GAP_MS_MAX = 500;
const WHOLE_GAP_MS_MAX = 2_000;
const SMALL_BYTES_MAX = 4 * 1024;

export class SocketReader {
  private readonly files: ProcFiles;
  private readonly folder: string;
  private readonly port: number;
  private readonly monotonicMs: () => number;
  /** Tables in which the port is listened on; both until it was found. */
  private listenTables: readonly string[] = TABLES;
  private listenersDueMs = Number.NEGATIVE_INFINITY;
  private whole: WholeReading | null = null;
  private wholeDueMs = Number.NEGATIVE_INFINITY;

  /** `folder` is /proc/net, or /proc/PID/net for the namespace of another process. */
  constructor(files: ProcFiles, folder: string, port: number, monotonicMs = () => performance.now()) {
    this.files = files;
    this.folder = folder;
    this.port = port;
    this.monotonicMs = monotonicMs;
  }

  read(): SocketFigures {
    const startMs = this.monotonicMs();
    const whole = startMs < this.wholeDueMs ? null : this.readWhole(startMs);
    if (whole?.isOfThisMoment) return whole.figures;
    const listeners = startMs < this.listenersDueMs ? null : this.readListeners();
    return { ...NOTHING, ...whole?.figures, ...(listeners ?? NO_LISTENERS) };
  }

  close(): void {
    this.whole?.table.close();
    this.whole = null;
    this.wholeDueMs = Number.POSITIVE_INFINITY;
    this.listenersDueMs = Number.POSITIVE_INFINITY;
  }

  private readListeners(): ListenFigures | null {
    const startMs = this.monotonicMs();
    const counts: NamedCounts[] = [];
    for (const name of this.listenTables) {
      const found = readListeners(this.files, `${this.folder}/${name}`, this.port);
      if (found !== null) counts.push({ name, ...found });
    }
    this.learnListenTables(counts);
    this.listenersDueMs = startMs + gapMs(this.monotonicMs() - startMs, LISTENERS_GAP_MS_MAX);
    return counts.length === 0 ? null : listenersOf(counts);
  }

  /** Goes on with the reading that is under way, or begins one; null until it is whole. */
  private readWhole(startMs: number): { figures: SocketFigures; isOfThisMoment: boolean } | null {
    const isOfThisMoment = this.whole === null;
    this.whole ??= this.openNext([], TABLES, 0);
    let rowsLeft = ROWS_AT_ONCE;
    while (this.whole?.table.advance(rowsLeft)) {
      const { name, done, costMs, table } = this.whole;
      const counts = [...done, { name, ...table.counts }];
      this.whole = this.openNext(counts, TABLES.slice(TABLES.indexOf(name) + 1), costMs);
      if (this.whole === null) {
        this.wholeDueMs = startMs + gapMs(costMs + this.monotonicMs() - startMs, WHOLE_GAP_MS_MAX);
        return { figures: this.finish(counts), isOfThisMoment };
      }
      rowsLeft = ROWS_AT_ONCE / 2; // the rows of the table before it were read too
    }
    if (this.whole !== null) this.whole.costMs += this.monotonicMs() - startMs;
    return null;
  }

  private openNext(
    done: readonly NamedCounts[],
    names: readonly string[],
    costMs: number,
  ): WholeReading | null {
    for (const name of names) {
      if (name === "tcp6" && this.isIpv6Idle(done)) continue;
      const table = openSocketTable(this.files, `${this.folder}/${name}`, this.port);
      if (table !== null) return { name, table, done, costMs };
    }
    return null;
  }

  /** The table of IPv6 costs 5 to 14 ms even where nothing of ours is in it. */
  private isIpv6Idle(done: readonly NamedCounts[]): boolean {
    const inUse = parseSocketsInUse(this.files.readText(`${this.folder}/sockstat6`, SMALL_BYTES_MAX));
    const isListenedOnIpv4 = done.some(({ listeners }) => listeners > 0);
    return inUse === 0 || (isListenedOnIpv4 && !this.listenTables.includes("tcp6"));
  }

  private finish(counts: readonly NamedCounts[]): SocketFigures {
    this.learnListenTables(counts);
    return {
      ...listenersOf(counts),
      established: sum(counts, "established"),
      unreadBytes: sum(counts, "unreadBytes"),
      unreadSockets: sum(counts, "unreadSockets"),
      clientEnds: sum(counts, "clientEnds"),
    };
  }

  /** An address is of one family, so the other table is left alone as long as its listeners are there. */
  private learnListenTables(counts: readonly NamedCounts[]): void {
    const found = counts.filter(({ listeners }) => listeners > 0).map(({ name }) => name);
    this.listenTables = found.length > 0 ? found : TABLES;
  }
}

/** How long to leave it after a reading that took so long; wall time, so more than its CPU where cores are scarce. */
function gapMs(tookMs: number, gapMsMax: number): number {
  return Math.min(tookMs / COST_SHARE_MAX, gapMsMax);
}

type ListenFigures = Pick<SocketFigures, "listeners" | "acceptQueueMax">;

interface NamedCounts extends SocketCounts {
  readonly name: string;
}

/** A reading that may take several samples: the table it is at, and those it has behind it. */
interface WholeReading {
  readonly name: string;
  readonly table: SocketTable;
  readonly done: readonly NamedCounts[];
  costMs: number;
}

const NO_LISTENERS: ListenFigures = { listeners: null, acceptQueueMax: null };
const NOTHING: SocketFigures = {
  ...NO_LISTENERS,
  established: null,
  unreadBytes: null,
  unreadSockets: null,
  clientEnds: null,
};

function listenersOf(counts: readonly SocketCounts[]): ListenFigures {
  const listeners = sum(counts, "listeners");
  const longest = Math.max(...counts.map(({ acceptQueueMax }) => acceptQueueMax));
  return { listeners, acceptQueueMax: listeners === 0 ? null : longest };
}

function sum(counts: readonly SocketCounts[], key: keyof SocketCounts): number {
  return counts.reduce((total, each) => total + each[key], 0);
}

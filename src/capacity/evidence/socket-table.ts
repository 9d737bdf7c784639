// The kernel's table of TCP sockets, /proc/net/tcp or tcp6, read as bytes and a part at a time: first come the sockets
// that listen, then all others. Their order is no fair sample (on Linux 6.18 the clients' ends of one server lie
// together), so figures are of a table that was read to its end. With 10,000 connections over loopback, both ends of
// which are in it, that costs 65 to 85 ms of CPU, its listeners alone 0.2 ms; of an all but empty table either costs 1
// to 6 ms, for the kernel walks its hash to find that there is no more.
//
//   sl  local_address rem_address   st tx_queue rx_queue …
//    0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 …      of a listener, rx_queue is its accept queue

import type { OpenFile, ProcFiles } from "../../base/os-files.ts";

export interface SocketCounts {
  /** Sockets that listen on the port, and the longest of their accept queues. */
  listeners: number;
  acceptQueueMax: number;
  /** The server's ends: established, or closed by the client; and what they hold unread. */
  established: number;
  unreadBytes: number;
  unreadSockets: number;
  /** The clients' ends in any state, time-wait too: each holds a port. */
  clientEnds: number;
}

/** What the kernel formats at a time. */
const BLOCK_BYTES = 4 * 1024;
/** Longest row, of IPv6, is below 200. */
const ROW_BYTES_MAX = 512;
const ESTABLISHED = 0x01;
const CLOSE_WAIT = 0x08;
const LISTEN = 0x0a;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;

/** One reading of one table. Holds the file open until it has come to the end or is closed. */
export class SocketTable {
  readonly counts: SocketCounts = {
    listeners: 0,
    acceptQueueMax: 0,
    established: 0,
    unreadBytes: 0,
    unreadSockets: 0,
    clientEnds: 0,
  };
  private readonly port: number;
  private file: OpenFile | null;
  /** Rows behind the listeners. */
  private rows = 0;
  private readonly cutRow = new Uint8Array(ROW_BYTES_MAX);
  private cutBytes = 0;

  constructor(file: OpenFile, port: number) {
    this.file = file;
    this.port = port;
  }

  /** Reads `rowsMax` more rows, or few more; true at the end. */
  advance(rowsMax: number): boolean {
    const rowsEnd = this.rows + rowsMax;
    while (this.file !== null && this.rows < rowsEnd) {
      const bytes = this.file.readBlock(BLOCK_BYTES);
      if (bytes === null) this.close();
      else this.countRows(bytes);
    }
    return this.file === null;
  }

  close(): void {
    this.file?.close();
    this.file = null;
  }

  private countRows(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (this.cutBytes > 0) {
        this.cutRow.set(bytes.subarray(0, Math.min(end, ROW_BYTES_MAX - this.cutBytes)), this.cutBytes);
        this.countRow(this.cutRow, 0);
        this.cutBytes = 0;
      } else {
        this.countRow(bytes, start);
      }
      start = end + 1;
    }
    const cut = bytes.subarray(start, start + ROW_BYTES_MAX - this.cutBytes);
    this.cutRow.set(cut, this.cutBytes);
    this.cutBytes += cut.length;
  }

  private countRow(row: Uint8Array, start: number): void {
    let offset = start;
    while (row[offset] === SPACE) offset += 1;
    while (row[offset]! >= 0x30 && row[offset]! <= 0x39) offset += 1;
    if (row[offset] !== COLON) return; // the heading
    const localPort = row.indexOf(COLON, offset + 2) + 1;
    const remotePort = row.indexOf(COLON, localPort) + 1;
    if (localPort === 0 || remotePort === 0) return;
    const state = hexAt(row, remotePort + 5, 2);
    // "ADDRESS:PORT ADDRESS:PORT ST TXTXTXTX:RXRXRXRX"
    const unread = hexAt(row, remotePort + 17, 8);
    const isServers = hexAt(row, localPort, 4) === this.port;
    const { counts } = this;
    if (state === LISTEN) {
      if (!isServers) return;
      counts.listeners += 1;
      counts.acceptQueueMax = Math.max(counts.acceptQueueMax, unread);
      return;
    }
    this.rows += 1;
    if (isServers && (state === ESTABLISHED || state === CLOSE_WAIT)) {
      counts.established += 1;
      counts.unreadBytes += unread;
      if (unread > 0) counts.unreadSockets += 1;
    } else if (hexAt(row, remotePort, 4) === this.port) {
      counts.clientEnds += 1;
    }
  }
}

/** Null where the table cannot be read. */
export function openSocketTable(files: ProcFiles, path: string, port: number): SocketTable | null {
  const file = files.open(path);
  return file === null ? null : new SocketTable(file, port);
}

/** The listeners' figures alone; null where the table cannot be read. */
export function readListeners(files: ProcFiles, path: string, port: number): SocketCounts | null {
  const table = openSocketTable(files, path, port);
  table?.advance(1);
  table?.close();
  return table?.counts ?? null;
}

function hexAt(row: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let index = start; index < start + digits; index++) {
    const byte = row[index] ?? 0;
    value = value * 16 + (byte <= 0x39 ? byte - 0x30 : (byte & 0x5f) - 0x37);
  }
  return value;
}

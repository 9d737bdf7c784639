// The kernel's table of TCP sockets, /proc/net/tcp and tcp6, read as bytes and only as far as is asked for: first come
// the sockets that listen, then all others in the order of a hash, which is no order, so that the first rows of many are
// a fair sample of them all. With 10,000 connections over loopback (both ends are in the table) all of it costs 50 ms of
// CPU, its first 2,000 rows 4 to 6 ms, its listeners 0.1 to 0.2 ms; reading to the end of an all but empty table costs
// 1 to 5 ms nevertheless, for the kernel walks its hash.
//
//   sl  local_address rem_address   st tx_queue rx_queue …
//    0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 …      of a listener, rx_queue is its accept queue

import type { ProcFiles } from "../../base/os-files.ts";

export interface SocketTable {
  /** Sockets that listen on the port, and the longest of their accept queues. */
  readonly listeners: number;
  readonly acceptQueueMax: number;
  /** Rows behind the listeners that were read, of whatever port. */
  readonly rows: number;
  /** The table ended; otherwise `rows` of more were read. */
  readonly isWhole: boolean;
  /** Of these rows, the server's ends: established or closed by the client, and what they hold unread. */
  readonly established: number;
  readonly unreadBytes: number;
  readonly unreadSockets: number;
  /** Of these rows, the clients' ends in any state, time-wait too: each holds a port. */
  readonly clientEnds: number;
}

/** What the kernel formats at a time; larger reads are put together of such. */
const BLOCK_BYTES = 4 * 1024;
/** Longest row, of IPv6, is below 200. */
const ROW_BYTES_MAX = 512;
const ESTABLISHED = 0x01;
const CLOSE_WAIT = 0x08;
const LISTEN = 0x0a;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;

type Counts = { -readonly [K in keyof SocketTable]: SocketTable[K] };

/** With `rowsMax` 0 only the listeners. Null where the table cannot be read. */
export function readSocketTable(
  files: ProcFiles,
  path: string,
  port: number,
  rowsMax: number,
): SocketTable | null {
  const counts: Counts = {
    listeners: 0,
    acceptQueueMax: 0,
    rows: 0,
    isWhole: true,
    established: 0,
    unreadBytes: 0,
    unreadSockets: 0,
    clientEnds: 0,
  };
  const cut = new Uint8Array(ROW_BYTES_MAX);
  let cutBytes = 0;
  const isThere = files.readBlocks(path, BLOCK_BYTES, (bytes) => {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (cutBytes > 0) {
        cut.set(bytes.subarray(0, Math.min(end, ROW_BYTES_MAX - cutBytes)), cutBytes);
        countRow(cut, 0, counts, port);
        cutBytes = 0;
      } else {
        countRow(bytes, start, counts, port);
      }
      start = end + 1;
      if (counts.rows > 0 && counts.rows >= rowsMax) {
        counts.isWhole = false;
        return false;
      }
    }
    cutBytes = Math.min(bytes.length - start, ROW_BYTES_MAX);
    cut.set(bytes.subarray(start, start + cutBytes));
    return true;
  });
  return isThere ? counts : null;
}

/** Rows of one table that count for the whole of it, where only its first ones were read. */
export function scaleOf(table: SocketTable, rowsInAll: number): number {
  return table.isWhole || table.rows === 0 ? 1 : Math.max(1, rowsInAll / table.rows);
}

function countRow(row: Uint8Array, start: number, counts: Counts, port: number): void {
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
  const isLocal = hexAt(row, localPort, 4) === port;
  if (state === LISTEN) {
    if (!isLocal) return;
    counts.listeners += 1;
    counts.acceptQueueMax = Math.max(counts.acceptQueueMax, unread);
    return;
  }
  counts.rows += 1;
  if (isLocal && (state === ESTABLISHED || state === CLOSE_WAIT)) {
    counts.established += 1;
    counts.unreadBytes += unread;
    if (unread > 0) counts.unreadSockets += 1;
  } else if (hexAt(row, remotePort, 4) === port) {
    counts.clientEnds += 1;
  }
}

function hexAt(row: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let index = start; index < start + digits; index++) {
    const byte = row[index] ?? 0;
    value = value * 16 + (byte <= 0x39 ? byte - 0x30 : (byte & 0x5f) - 0x37);
  }
  return value;
}

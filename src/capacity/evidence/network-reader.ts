// The network as the target's namespace sees it: what the kernel refused at its listening sockets, what it had to send
// again, and the sockets of its port. Main thread; 0.2 ms a sample besides the sockets, which keep their own pace.
// The kernel's counters are of the whole namespace, since it was made.

import type { OsFiles } from "../../base/os-files.ts";
import { parseNetstat } from "../../base/proc-texts.ts";
import type { AcceptQueueCap } from "./accept-queue-cap.ts";
import { orNull } from "./known.ts";
import type { NetworkSample } from "./sample.ts";
import type { SocketFigures } from "./socket-reader.ts";

const BYTES_MAX = 16 * 1024;

/** `folder`: /proc/net or /proc/PID/net; null where the target is elsewhere. */
export function readNetwork(
  files: OsFiles,
  folder: string | null,
  sockets: SocketFigures | null,
  { cap, somaxconn }: AcceptQueueCap,
): NetworkSample {
  const netstat = folder === null ? null : files.readText(`${folder}/netstat`, BYTES_MAX);
  const snmp = folder === null ? null : files.readText(`${folder}/snmp`, BYTES_MAX);
  return {
    listeners: sockets?.listeners ?? null,
    acceptQueueMax: sockets?.acceptQueueMax ?? null,
    acceptQueueCap: cap,
    somaxconn,
    listenOverflows: orNull(parseNetstat(netstat, "TcpExt", "ListenOverflows")),
    listenDrops: orNull(parseNetstat(netstat, "TcpExt", "ListenDrops")),
    retransmits: orNull(parseNetstat(snmp, "Tcp", "RetransSegs")),
    established: sockets?.established ?? null,
    unreadBytes: sockets?.unreadBytes ?? null,
    unreadSockets: sockets?.unreadSockets ?? null,
  };
}

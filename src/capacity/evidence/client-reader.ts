// The generator's own side: what it has used of its own descriptors, ports and CPU. A run whose limit lies here says
// nothing of the server.

import type { OsFiles } from "../../base/os-files.ts";
import { parseDescriptorLimits, parsePortsAvailable, parseTimeWait } from "../../base/proc-texts.ts";
import { orNull } from "./known.ts";
import type { ClientSample } from "./sample.ts";
import type { SocketFigures } from "./socket-reader.ts";

const BYTES_MAX = 8 * 1024;
const PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range";
const PORTS_RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/** Of a generator that is elsewhere. */
export const UNKNOWN_CLIENT: ClientSample = {
  descriptorsUsed: null,
  descriptorsSoft: null,
  timeWaitSockets: null,
  portsUsed: null,
  portsAvailable: null,
  cpuS: null,
};

export function readClient(files: OsFiles, sockets: SocketFigures): ClientSample {
  const { user, system } = process.cpuUsage();
  return {
    descriptorsUsed: files.countDescriptors(),
    descriptorsSoft: orNull(parseDescriptorLimits(files.readText("/proc/self/limits", BYTES_MAX)).soft),
    timeWaitSockets: orNull(parseTimeWait(files.readText("/proc/net/sockstat", BYTES_MAX))),
    portsUsed: sockets.clientEnds,
    portsAvailable: orNull(
      parsePortsAvailable(files.readText(PORT_RANGE, BYTES_MAX), files.readText(PORTS_RESERVED, BYTES_MAX)),
    ),
    cpuS: (user + system) / 1e6,
  };
}

// Client ports, and the table in which a firewall remembers connections: both bound how many connections there can be
// and how many new ones a second, and both are met by load tests and proxies before any real fleet meets them.
//
// To one address and port a client has as many connections as its port range has ports. Whoever closes first keeps the
// port in TIME-WAIT: 60 s on Linux, fixed in the kernel; twice net.inet.tcp.msl on macOS. tcp_tw_reuse gives it back
// after one second: 1 everywhere, 2 (today's default) on loopback only.

import { parsePortsAvailable } from "../../base/proc-texts.ts";
import {
  clientsWanted,
  type Finding,
  finding,
  keepSettings,
  roomFor,
  unknown,
  type Wish,
} from "./finding.ts";
import { type Machine, readNumber, readSysctl } from "./machine.ts";
import { formatAbout, formatCount, formatPercent } from "./quantity.ts";

const TIME_WAIT_S_LINUX = 60;
const REUSE_S = 1;
/** Above the default port, so that no client is given it. */
const PORT_FIRST_WANTED = 15_000;
const PORT_LAST = 65_535;
/** What the kernel remembers a closed connection for, unless it is set otherwise. */
const CONNTRACK_TIME_WAIT_S = 120;
const CONNTRACK_USED_WARN = 0.7;
const CONNTRACK_USED_BAD = 0.95;

export function checkClientPorts(machine: Machine, wish: Wish): Finding {
  const id = "client ports";
  const range = readRange(machine);
  if (range === null || Number.isNaN(range.ports))
    return unknown(id, "the range of local ports cannot be read");

  const { ports } = range;
  const perSecond = ports / range.timeWaitS;
  const isFew = ports < clientsWanted(wish);
  const onLoopback = range.reuse === 2 ? ` (on loopback ${formatAbout(ports / REUSE_S)})` : "";
  return finding(
    id,
    isFew ? "warn" : "ok",
    `${range.first} to ${range.last}: ${formatCount(ports)} ports, ${formatAbout(range.timeWaitS)} s in time-wait` +
      (range.reuse === null ? "" : `; tcp_tw_reuse ${range.reuse}`),
    `${formatCount(ports)} connections from here to one address; without keep-alive ${formatAbout(perSecond)} new ones a second${onLoopback}`,
    {
      mend: isFew
        ? {
            linux: [
              {
                when: "now",
                command: `sudo sysctl net.ipv4.ip_local_port_range="${PORT_FIRST_WANTED} ${PORT_LAST}"`,
              },
              {
                when: "for good",
                command: keepSettings([`net.ipv4.ip_local_port_range=${PORT_FIRST_WANTED} ${PORT_LAST}`]),
              },
            ],
            macos: [
              {
                when: "now",
                command: `sudo sysctl net.inet.ip.portrange.first=${PORT_FIRST_WANTED}`,
              },
            ],
          }
        : null,
      bounds: [
        { kind: "connections-from-one-host", amount: ports },
        { kind: "connects-per-second", amount: perSecond },
      ],
      figures: {
        first: range.first,
        last: range.last,
        ports,
        time_wait_s: range.timeWaitS,
        tw_reuse: range.reuse,
      },
    },
  );
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  /** Without those that are reserved. */
  readonly ports: number;
  readonly timeWaitS: number;
  /** tcp_tw_reuse; null where there is no such setting. */
  readonly reuse: number | null;
}

function readRange(machine: Machine): PortRange | null {
  if (machine.platform === "macos") {
    const first = readSysctl(machine, "net.inet.ip.portrange.first");
    const last = readSysctl(machine, "net.inet.ip.portrange.last");
    const mslMs = readSysctl(machine, "net.inet.tcp.msl");
    if (!(last >= first)) return null;
    return {
      first,
      last,
      ports: last - first + 1,
      timeWaitS: Number.isFinite(mslMs) ? (2 * mslMs) / 1e3 : 30,
      reuse: null,
    };
  }
  const text = machine.readText("/proc/sys/net/ipv4/ip_local_port_range");
  const [first, last] = (text ?? "").trim().split(/\s+/).map(Number);
  if (first === undefined || last === undefined || !(last >= first)) return null;
  const reuse = readNumber(machine, "/proc/sys/net/ipv4/tcp_tw_reuse");
  // A reused port is told from its last use by TCP's timestamps.
  const hasTimestamps = readNumber(machine, "/proc/sys/net/ipv4/tcp_timestamps") !== 0;
  const isReused = reuse === 1 && hasTimestamps;
  const reserved = machine.readText("/proc/sys/net/ipv4/ip_local_reserved_ports");
  return {
    first,
    last,
    ports: parsePortsAvailable(text, reserved),
    timeWaitS: isReused ? REUSE_S : TIME_WAIT_S_LINUX,
    reuse: Number.isFinite(reuse) ? reuse : null,
  };
}

/** Null where no connection is tracked, which is no limit and needs no line. */
export function checkConntrack(machine: Machine, wish: Wish): Finding | null {
  const most = readNumber(machine, "/proc/sys/net/netfilter/nf_conntrack_max");
  if (!Number.isFinite(most)) return null;
  const id = "conntrack";
  const used = readNumber(machine, "/proc/sys/net/netfilter/nf_conntrack_count");
  const found = `nf_conntrack_max ${formatCount(most)}${Number.isFinite(used) ? `, ${formatCount(used)} in use` : ""}`;
  if (used === 0) return finding(id, "ok", found, "loaded, but no rule tracks connections: no bound now");
  const usedOrNone = Number.isFinite(used) ? used : 0;
  const timeoutS = readNumber(machine, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait");
  const perSecond = most / (Number.isFinite(timeoutS) && timeoutS > 0 ? timeoutS : CONNTRACK_TIME_WAIT_S);
  const room = most - usedOrNone;
  const isShort = room < clientsWanted(wish);
  const isFull = usedOrNone / most >= CONNTRACK_USED_BAD || (isShort && wish.clients !== null);
  const isTight = isShort || usedOrNone / most >= CONNTRACK_USED_WARN;
  const want = Math.max(most * 2, roomFor(clientsWanted(wish) * 2));
  return finding(
    id,
    isFull ? "bad" : isTight ? "warn" : "ok",
    found,
    `room for ${formatCount(room)} connections, and without keep-alive ${formatAbout(perSecond)} new ones a second; ` +
      `a full table drops SYNs unseen${usedOrNone > 0 ? ` (${formatPercent(usedOrNone / most)} used)` : ""}`,
    {
      mend:
        isFull || isTight
          ? {
              linux: [
                { when: "now", command: `sudo sysctl net.netfilter.nf_conntrack_max=${want}` },
                {
                  when: "for good",
                  command: keepSettings([`net.netfilter.nf_conntrack_max=${want}`]),
                },
              ],
              macos: [],
            }
          : null,
      bounds: [
        { kind: "connections", amount: room },
        { kind: "connects-per-second", amount: perSecond },
      ],
    },
  );
}

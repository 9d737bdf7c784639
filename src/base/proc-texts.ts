// What the texts of /proc and /sys say: pure functions from a file's text (or null where it could not be read) to
// numbers. NaN is "not known", Infinity is "no limit". Formats: proc(5), Documentation/admin-guide/cgroup-v2.rst,
// Documentation/accounting/psi.rst of the Linux kernel.

/** Clock ticks a second in /proc's CPU times: USER_HZ, 100 on every Linux that a 64-bit program meets. */
const TICKS_PER_SECOND = 100;
const LISTEN_STATE = "0A";

/** /proc/self/limits: the row of open files. */
export function parseDescriptorLimits(text: string | null): { soft: number; hard: number } {
  const row = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text ?? "");
  return { soft: limitOf(row?.[1]), hard: limitOf(row?.[2]) };
}

/** /proc/self/status: a row such as `VmRSS:    1234 kB`, in bytes. */
export function parseStatusBytes(text: string | null, key: "VmRSS" | "VmHWM"): number {
  const row = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text ?? "");
  return row === null ? Number.NaN : Number(row[1]) * 1024;
}

/** /proc/self/status: `Cpus_allowed_list: 0-2,4` as the cores' numbers; empty where unknown. */
export function parseAllowedCores(text: string | null): number[] {
  const row = /^Cpus_allowed_list:\s+([\d,-]+)/m.exec(text ?? "");
  const cores: number[] = [];
  if (row === null) return cores;
  for (const range of row[1]!.split(",")) {
    const [first, last] = range.split("-").map(Number);
    for (let core = first!; core <= (last ?? first!); core++) cores.push(core);
  }
  return cores;
}

export interface CoreTicks {
  busy: number;
  total: number;
}

/** /proc/stat: ticks of these cores together, whoever used them; time stolen by the hypervisor is busy too. */
export function parseCoreTicks(text: string | null, cores: readonly number[]): CoreTicks | null {
  const ticks: CoreTicks = { busy: 0, total: 0 };
  let found = 0;
  for (const row of (text ?? "").matchAll(/^cpu(\d+) (.+)$/gm)) {
    if (!cores.includes(Number(row[1]))) continue;
    const [user, nice, system, idle, wait, interrupt, softInterrupt, steal] = row[2]!.split(" ").map(Number);
    const busy = user! + nice! + system! + (interrupt ?? 0) + (softInterrupt ?? 0) + (steal ?? 0);
    ticks.busy += busy;
    ticks.total += busy + idle! + (wait ?? 0);
    found += 1;
  }
  return found === 0 ? null : ticks;
}

export interface MachineSeconds {
  cores: number;
  /** By whoever, without what the hypervisor took. */
  busy: number;
  stolen: number;
  /** With what was spent waiting for disks. */
  idle: number;
}

/** /proc/stat: CPU seconds of all cores so far. */
export function parseMachineSeconds(text: string | null): MachineSeconds | null {
  const row = /^cpu +(.+)$/m.exec(text ?? "");
  if (row === null) return null;
  const [user, nice, system, idle, wait, interrupt, softInterrupt, steal] = row[1]!.split(" ").map(Number);
  const busy = user! + nice! + system! + (interrupt ?? 0) + (softInterrupt ?? 0);
  return {
    cores: text!.match(/^cpu\d+ /gm)?.length ?? 0,
    busy: busy / TICKS_PER_SECOND,
    stolen: (steal ?? 0) / TICKS_PER_SECOND,
    idle: (idle! + (wait ?? 0)) / TICKS_PER_SECOND,
  };
}

/** /proc/<pid>/stat or /proc/<pid>/task/<tid>/stat: its name (it may hold spaces and brackets) and its CPU time. */
export function parseTaskStat(text: string | null): { name: string; cpuSeconds: number } | null {
  if (text === null) return null;
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(" "); // from the third on: state is field 3, utime 14, stime 15
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return Number.isFinite(cpuSeconds) ? { name: text.slice(open + 1, close), cpuSeconds } : null;
}

/** /proc/<pid>/stat or /proc/<pid>/task/<tid>/stat: the scheduler's state, R S D Z T …; "" where unknown. */
export function parseTaskState(text: string | null): string {
  const close = text?.lastIndexOf(")") ?? -1;
  return close < 0 ? "" : text!.charAt(close + 2);
}

/** /proc/<pid>/stat: the process that started it. */
export function parseParent(text: string | null): number {
  const close = text?.lastIndexOf(")") ?? -1;
  return close < 0 ? Number.NaN : numberOf(text!.slice(close + 2).split(" ")[1]);
}

/** /proc/<pid>/stat: CPU time of the children that have ended and been waited for, and of theirs. */
export function parseEndedChildrenSeconds(text: string | null): number {
  const close = text?.lastIndexOf(")") ?? -1;
  if (close < 0) return Number.NaN;
  const fields = text!.slice(close + 2).split(" "); // cutime is field 16, cstime 17
  return (numberOf(fields[13]) + numberOf(fields[14])) / TICKS_PER_SECOND;
}

/** /proc/self/task/<tid>/schedstat: seconds it has run, to the nanosecond. */
export function parseRunSeconds(text: string | null): number {
  const row = /^(\d+) \d+ /.exec(text ?? "");
  return row === null ? Number.NaN : Number(row[1]) / 1e9;
}

/** /proc/self/task/<tid>/schedstat: `ran waited slices`: seconds it was ready to run and had no core. */
export function parseWaitSeconds(text: string | null): number {
  const row = /^\d+ (\d+) /.exec(text ?? "");
  return row === null ? Number.NaN : Number(row[1]) / 1e9;
}

export interface AcceptQueues {
  sockets: number;
  length: number;
  lengthMax: number;
  /** A row that does not listen was seen: no listener comes after it. */
  isWhole: boolean;
}

/**
 * /proc/net/tcp or tcp6: the accept queues of the sockets that listen on this port. In a LISTEN row rx_queue is the
 * number of connections that wait to be accepted. Listeners come first, so the rows end at the first other one; a row
 * that is cut at the end of what was read is left out. Null where the file is not there.
 */
export function parseAcceptQueues(text: string | null, port: number): AcceptQueues | null {
  if (text === null) return null;
  const queues: AcceptQueues = { sockets: 0, length: 0, lengthMax: 0, isWhole: false };
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = text.split("\n");
  for (let index = 1; index < rows.length - 1; index++) {
    const [, local, , state, sizes] = rows[index]!.trim().split(/\s+/);
    if (state !== LISTEN_STATE) {
      queues.isWhole = true;
      break;
    }
    if (local?.slice(local.lastIndexOf(":") + 1) !== wanted) continue;
    const length = Number.parseInt(sizes?.split(":")[1] ?? "", 16);
    if (!Number.isFinite(length)) continue;
    queues.sockets += 1;
    queues.length += length;
    queues.lengthMax = Math.max(queues.lengthMax, length);
  }
  return queues;
}

/** /proc/net/tcp or tcp6: the numbers of the sockets that listen on this port. */
export function parseListenerInodes(text: string | null, port: number): number[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes: number[] = [];
  for (const row of (text ?? "").split("\n").slice(1)) {
    const fields = row.trim().split(/\s+/);
    if (fields[3] === LISTEN_STATE && fields[1]!.endsWith(`:${wanted}`)) inodes.push(Number(fields[9]));
  }
  return inodes;
}

/** /proc/net/netstat and /proc/net/snmp: pairs of rows, names and values. */
export function parseNetstat(text: string | null, group: "TcpExt" | "Tcp", key: string): number {
  const rows = (text ?? "").split("\n").filter((row) => row.startsWith(`${group}: `));
  const column = rows[0]?.split(" ").indexOf(key) ?? -1;
  return column < 1 ? Number.NaN : numberOf(rows[1]?.split(" ")[column]);
}

/** /proc/net/sockstat: `TCP: inuse 1 orphan 0 tw 0 …`. */
export function parseTimeWait(text: string | null): number {
  return numberOf(/^TCP: .*\btw (\d+)/m.exec(text ?? "")?.[1]);
}

/** /proc/net/sockstat and sockstat6: sockets in use, listeners too; those in time-wait are not counted. */
export function parseSocketsInUse(text: string | null): number {
  return numberOf(/^TCP6?: inuse (\d+)/m.exec(text ?? "")?.[1]);
}

/** /proc/sys/net/ipv4/ip_local_port_range less ip_local_reserved_ports ("8080,9000-9100"): ports a client may get. */
export function parsePortsAvailable(range: string | null, reserved: string | null): number {
  const [first, last] = (range ?? "").trim().split(/\s+/).map(Number);
  let ports = last! - first! + 1;
  for (const part of (reserved ?? "").trim().split(",")) {
    if (part === "") continue;
    const [low, high] = part.split("-").map(Number);
    ports -= Math.max(0, Math.min(high ?? low!, last!) - Math.max(low!, first!) + 1);
  }
  return Number.isFinite(ports) ? ports : Number.NaN;
}

/** A file that holds one number. */
export function parseNumber(text: string | null): number {
  return numberOf(text?.trim());
}

/** /proc/self/cgroup: this process's folder in the second hierarchy and all above it, the nearest first. */
export function parseCgroupFolders(text: string | null, mount: string): string[] {
  const row = /^0::(\/.*)$/m.exec(text ?? "");
  if (row === null) return [];
  const folders: string[] = [];
  const parts = row[1]!.split("/").filter((part) => part !== "" && part !== "..");
  for (let depth = parts.length; depth >= 0; depth--)
    folders.push([mount, ...parts.slice(0, depth)].join("/"));
  return folders;
}

export interface CgroupFolder {
  version: 1 | 2;
  /** Controllers of version 1: ["cpu"], ["cpu", "cpuacct"]; empty for version 2. */
  controllers: readonly string[];
  /** Where the hierarchy is mounted, and the process's folder in it. */
  mount: string;
  folder: string;
}

/**
 * /proc/<pid>/cgroup with /proc/self/mountinfo: the process's folder in every hierarchy that is mounted here. A path
 * that leads out of what this process may see ("/../…") has no folder.
 */
export function parseCgroups(cgroup: string | null, mounts: string | null): CgroupFolder[] {
  const found: CgroupFolder[] = [];
  const paths = [...(cgroup ?? "").matchAll(/^(\d+):([^:]*):(\/.*)$/gm)];
  // "31 23 0:28 ROOT MOUNT options… - TYPE source superoptions"
  for (const row of (mounts ?? "").matchAll(/^\S+ \S+ \S+ (\S+) (\S+) .*? - (cgroup2?) \S+ (\S+)$/gm)) {
    const [, root, mount, type, options] = row;
    const version = type === "cgroup2" ? 2 : 1;
    const names = options!.split(",");
    const path = paths.find(([, id, controllers]) =>
      version === 2
        ? id === "0" && controllers === ""
        : controllers!.split(",").some((name) => names.includes(name)),
    );
    if (path === undefined || path[3]!.split("/").includes("..")) continue;
    // Within a container the mount shows the hierarchy from ROOT on.
    const inside =
      root !== "/" && `${path[3]}/`.startsWith(`${root}/`) ? path[3]!.slice(root!.length) : path[3]!;
    found.push({
      version,
      controllers: version === 2 ? [] : path[2]!.split(","),
      mount: mount!,
      folder: `${mount}${inside}`.replace(/\/+$/, ""),
    });
  }
  return found;
}

/** The folder and all above it up to the mount, the nearest first. */
export function foldersUpTo(mount: string, folder: string): string[] {
  const folders: string[] = [];
  for (let path = folder; path.length >= mount.length; path = path.slice(0, path.lastIndexOf("/"))) {
    folders.push(path);
    if (path === mount) break;
  }
  return folders;
}

/** cpu.cfs_quota_us with cpu.cfs_period_us, of version 1: -1 is no limit. */
export function parseQuotaCoresOld(quota: string | null, period: string | null): number {
  const quotaUs = parseNumber(quota);
  return quotaUs < 0 ? Number.POSITIVE_INFINITY : quotaUs / parseNumber(period);
}

/** memory.max, memory.limit_in_bytes: version 1 says "none" by a number near 2^63. */
export function parseMemoryLimit(text: string | null): number {
  const bytes = text?.trim() === "max" ? Number.POSITIVE_INFINITY : parseNumber(text);
  return bytes >= 2 ** 62 ? Number.POSITIVE_INFINITY : bytes;
}

/** cpu.max: `200000 100000` is two cores, `max 100000` is no limit. */
export function parseQuotaCores(text: string | null): number {
  const [quota, period] = (text ?? "").trim().split(" ");
  if (quota === "max") return Number.POSITIVE_INFINITY;
  return numberOf(quota) / numberOf(period);
}

/** cpu.stat and the like: rows of `key value`. */
export function parseKeyed(text: string | null, key: string): number {
  return numberOf(new RegExp(`^${key} (\\d+)$`, "m").exec(text ?? "")?.[1]);
}

/** /proc/<pid>/io and /proc/meminfo: rows of `key: value` with or without kB. */
export function parseColon(text: string | null, key: string): number {
  const row = new RegExp(`^${key}:\\s+(\\d+)( kB)?$`, "m").exec(text ?? "");
  return row === null ? Number.NaN : Number(row[1]) * (row[2] === undefined ? 1 : 1024);
}

/** /proc/<pid>/task/<tid>/children: process ids. */
export function parseChildren(text: string | null): number[] {
  return (text ?? "").split(" ").filter(Boolean).map(Number);
}

/** A link such as "socket:[4711]": the socket's number; null for all else. */
export function parseSocketLink(link: string | null): number | null {
  const match = /^socket:\[(\d+)\]$/.exec(link ?? "");
  return match === null ? null : Number(match[1]);
}

/** /proc/pressure/*: how much of the time some task waited for this, of the last 10 s and in all. */
export function parsePressure(text: string | null): { ratio: number; totalMs: number } {
  const row = /^some avg10=([\d.]+) .*total=(\d+)/m.exec(text ?? "");
  return { ratio: numberOf(row?.[1]) / 100, totalMs: numberOf(row?.[2]) / 1e3 };
}

function limitOf(text: string | undefined): number {
  return text === "unlimited" ? Number.POSITIVE_INFINITY : numberOf(text);
}

function numberOf(text: string | undefined): number {
  return text === undefined || text === "" ? Number.NaN : Number(text);
}

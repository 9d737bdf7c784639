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

/** /proc/net/netstat: pairs of rows, names and values. */
export function parseNetstat(text: string | null, group: "TcpExt", key: string): number {
  const rows = (text ?? "").split("\n").filter((row) => row.startsWith(`${group}: `));
  const column = rows[0]?.split(" ").indexOf(key) ?? -1;
  return column < 1 ? Number.NaN : numberOf(rows[1]?.split(" ")[column]);
}

/** /proc/net/sockstat: `TCP: inuse 1 orphan 0 tw 0 …`. */
export function parseTimeWait(text: string | null): number {
  return numberOf(/^TCP: .*\btw (\d+)/m.exec(text ?? "")?.[1]);
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

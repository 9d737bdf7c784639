// CPU time and memory of a server as a whole: its process and all that it started, read from /proc.
// Time comes from /proc/PID/stat and not from the threads' schedstat, because it keeps what ended threads used
// (and, as cutime and cstime, ended children); its 10 ms tick is 0.25 % of a round of 4 s.
import { readdirSync, readFileSync } from "node:fs";

/** Linux gives times to user space in hundredths of a second on every architecture that we run on. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/PID/stat after the command's closing parenthesis, proc(5) counting from 3. */
const UTIME_FIELD = 14 - 3;
const STIME_FIELD = 15 - 3;
const CUTIME_FIELD = 16 - 3;
const CSTIME_FIELD = 17 - 3;

/** User and system seconds of the tree under `rootPid`, ended members included. */
export function readTreeCpuSeconds(rootPid: number): number {
  let ticks = 0;
  for (const pid of listTree(rootPid)) {
    const stat = readStat(pid);
    if (stat === null) continue;
    ticks += Number(stat[UTIME_FIELD]) + Number(stat[STIME_FIELD]);
    ticks += Number(stat[CUTIME_FIELD]) + Number(stat[CSTIME_FIELD]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** User and system seconds of all children of ours that have ended and been waited for. */
export function readEndedChildrenCpuSeconds(): number {
  const stat = readStat(process.pid)!;
  return (Number(stat[CUTIME_FIELD]) + Number(stat[CSTIME_FIELD])) / TICKS_PER_SECOND;
}

/** Sum of VmRSS. Pages that members share count once for each. */
export function readTreeResidentBytes(rootPid: number): number {
  let kibibytes = 0;
  for (const pid of listTree(rootPid)) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(tryRead(`/proc/${pid}/status`) ?? "");
    kibibytes += line === null ? 0 : Number(line[1]);
  }
  return kibibytes * 1024;
}

export interface MachineTicks {
  readonly total: number;
  readonly stolen: number;
  /** User, system and interrupt time of all cores. */
  readonly busySeconds: number;
}

export function readMachineTicks(): MachineTicks {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!;
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const [user, nice, system, idle, waiting, interrupt, softInterrupt, stolen] = fields as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const busy = user + nice + system + interrupt + softInterrupt;
  return { total: busy + idle + waiting + stolen, stolen, busySeconds: busy / TICKS_PER_SECOND };
}

// By the kernel's lists of children, not by a walk over all of /proc: it runs on the load's core during a round.
function listTree(rootPid: number): readonly number[] {
  const tree = [rootPid];
  for (let index = 0; index < tree.length; index++) {
    for (const task of listTasks(tree[index]!)) {
      const children = tryRead(`/proc/${tree[index]}/task/${task}/children`) ?? "";
      tree.push(...children.split(" ").filter(Boolean).map(Number));
    }
  }
  return tree;
}

function listTasks(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // ended
  }
}

function readStat(pid: number): readonly string[] | null {
  const text = tryRead(`/proc/${pid}/stat`);
  // The command stands in parentheses and may hold spaces and parentheses of its own.
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function tryRead(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // it ended between the listing and the reading
  }
}

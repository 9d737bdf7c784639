// Descriptors: each connection is one, so the limit on them is the first limit of most servers.
//
// Bun and Node raise their soft limit to the hard one as they start, at most to 2^20, and what they start inherits
// that. So the limit that counts is the raised one; the soft limit that the shell had is read from the nearest ancestor
// in /proc that is neither runtime nor npm's shell. It still holds for whatever else is started there (wrk, nginx, a
// server in another language), which is why both are said.

import { parseDescriptorLimits, parseParent, parseTaskStat } from "../../base/proc-texts.ts";
import {
  clientsWanted,
  type Finding,
  finding,
  judgeConnections,
  keepSettings,
  type Mend,
  type Remedy,
  roomFor,
  unknown,
  type Wish,
} from "./finding.ts";
import { type Machine, readNumber, readSysctl } from "./machine.ts";
import { formatCount } from "./quantity.ts";

/** As the server keeps back from its connections: a test holds these to src/admission's. */
export const DESCRIPTORS_PROCESS = 64;
export const DESCRIPTORS_PER_THREAD = 24;
/** Both runtimes raise no further. */
const DESCRIPTORS_RAISED_MAX = 2 ** 20;
/** An ordinary shell's; a generator of load other than ours needs one descriptor for each client too. */
const DESCRIPTORS_SHELL_USUAL = 1024;
const ANCESTORS_MAX = 8;
const RUNTIMES = /^(node|bun|npm|npx|MainThread)\b/;

export interface DescriptorLimits {
  readonly soft: number;
  readonly hard: number;
}

/** `threads` is how many the server would start here. */
export function checkDescriptors(machine: Machine, wish: Wish, threads: number): Finding {
  const own = readOwnLimits(machine);
  if (own === null) return unknown("descriptors", "neither /proc/self/limits nor ulimit tells the limits");
  const effective = Math.min(own.hard, Math.max(own.soft, Math.min(own.hard, DESCRIPTORS_RAISED_MAX)));
  const kept = DESCRIPTORS_PROCESS + threads * DESCRIPTORS_PER_THREAD;
  const connections = Math.max(0, effective - kept);
  const shell = readShellLimits(machine);
  const wanted = clientsWanted(wish) + kept;
  const found =
    `${formatCount(effective)} for a server started here; hard ${formatCount(own.hard)}, the shell's ` +
    (shell === null ? "own not known" : `soft ${formatCount(shell.soft)}`);
  const isShellLow = shell !== null && shell.soft < Math.min(effective, DESCRIPTORS_SHELL_USUAL);
  const verdict = judgeConnections(connections, wish);
  return finding(
    "descriptors",
    verdict === "ok" && isShellLow ? "warn" : verdict,
    found,
    (Number.isFinite(connections)
      ? `about ${formatCount(connections)} connections; ${kept} are kept for files and ${threads} ${threads === 1 ? "thread" : "threads"}`
      : "no bound on connections") +
      (isShellLow ? `; other programs started here hold fewer than ${formatCount(shell.soft)}` : ""),
    {
      mend:
        verdict === "ok" && !isShellLow
          ? null
          : mendDescriptors(roomFor(wanted), own.hard, readNumber(machine, "/proc/sys/fs/nr_open")),
      bounds: [{ kind: "connections", amount: connections }],
      figures: { soft: own.soft, hard: own.hard, usable: effective, shell_soft: shell?.soft ?? null },
    },
  );
}

/** The machine's own table of open files, which all processes share. */
export function checkSystemFiles(machine: Machine, wish: Wish): Finding {
  const id = "all open files";
  if (machine.platform === "macos") return checkSystemFilesMacos(machine, wish, id);
  const [used, , most] = (machine.readText("/proc/sys/fs/file-nr") ?? "").trim().split(/\s+/).map(Number);
  if (!Number.isFinite(used) || !Number.isFinite(most))
    return unknown(id, "/proc/sys/fs/file-nr cannot be read");
  const hardMost = readNumber(machine, "/proc/sys/fs/nr_open");
  const free = Math.max(0, most! - used!);
  const verdict = judgeConnections(free, wish);
  const want = roomFor(used! + clientsWanted(wish)) * 2;
  // fs.file-max is 2^63 - 1 on most systems with systemd: then it bounds nothing.
  const isBound = most! < Number.MAX_SAFE_INTEGER;
  return finding(
    id,
    verdict,
    `fs.file-max ${isBound ? formatCount(most!) : "unlimited"}, ${formatCount(used!)} in use` +
      (Number.isFinite(hardMost) ? `; one process up to ${formatCount(hardMost)} (fs.nr_open)` : ""),
    isBound ? `room for ${formatCount(free)} more, of all processes together` : "no bound on connections",
    {
      mend:
        verdict === "ok"
          ? null
          : {
              linux: [
                { when: "now", command: `sudo sysctl fs.file-max=${want}` },
                {
                  when: "for good",
                  command: keepSettings([`fs.file-max=${want}`]),
                },
              ],
              macos: [{ when: "now", command: `sudo sysctl kern.maxfiles=${want}` }],
            },
      bounds: isBound ? [{ kind: "connections", amount: free }] : [],
      figures: { file_max: isBound ? most! : null, used: used!, nr_open: hardMost },
    },
  );
}

function checkSystemFilesMacos(machine: Machine, wish: Wish, id: string): Finding {
  const most = readSysctl(machine, "kern.maxfiles");
  const used = readSysctl(machine, "kern.num_files");
  const mostOfProcess = readSysctl(machine, "kern.maxfilesperproc");
  if (!Number.isFinite(most)) return unknown(id, "sysctl does not tell kern.maxfiles");
  const free = Math.max(0, most - (Number.isFinite(used) ? used : 0));
  const amount = Number.isFinite(mostOfProcess) ? Math.min(free, mostOfProcess) : free;
  const verdict = judgeConnections(amount, wish);
  const want = roomFor(clientsWanted(wish)) * 2;
  return finding(
    id,
    verdict,
    `kern.maxfiles ${formatCount(most)}, kern.maxfilesperproc ${formatCount(mostOfProcess)}`,
    `room for ${formatCount(amount)} in one process, whatever ulimit says`,
    {
      mend:
        verdict === "ok"
          ? null
          : {
              linux: [{ when: "now", command: `sudo sysctl fs.file-max=${want}` }],
              macos: [
                {
                  when: "now",
                  command: `sudo sysctl kern.maxfiles=${want} kern.maxfilesperproc=${want / 2}`,
                },
              ],
            },
      bounds: [{ kind: "connections", amount }],
      figures: { file_max: most, used, of_process_max: mostOfProcess },
    },
  );
}

/** `most` is fs.nr_open: root itself can set no higher hard limit. */
function mendDescriptors(want: number, hard: number, most: number): Mend {
  const isAllowed = want <= hard;
  const first: Remedy[] = want > most ? [{ when: "now", command: `sudo sysctl fs.nr_open=${want}` }] : [];
  return {
    linux: [
      ...first,
      {
        when: "now",
        command: isAllowed ? `ulimit -n ${want}` : `sudo prlimit --pid $$ --nofile=${want}:${want}`,
      },
      {
        when: "for good",
        command: `echo '* - nofile ${want}' | sudo tee /etc/security/limits.d/60-tidemark.conf`,
      },
      {
        when: "as a service",
        command: `sudo systemctl edit tidemark   # add: [Service] LimitNOFILE=${want}`,
      },
      { when: "in a container", command: `docker run --ulimit nofile=${want}:${want} …` },
    ],
    macos: [
      { when: "now", command: `ulimit -n ${want}` },
      // For what launchd starts from then on, until the machine restarts.
      { when: "now", command: `sudo launchctl limit maxfiles ${want} ${want}` },
      {
        when: "as a service",
        command: `sudo plutil -replace HardResourceLimits -json '{"NumberOfFiles":${want}}' PLIST   # its launchd file`,
      },
    ],
  };
}

/** Of this process, as the runtime raised it. Without /proc a shell that inherits them is asked. */
function readOwnLimits(machine: Machine): DescriptorLimits | null {
  const own = parseDescriptorLimits(machine.readText("/proc/self/limits"));
  if (!Number.isNaN(own.soft) && !Number.isNaN(own.hard)) return own;
  return parseUlimit(machine.run("sh", ["-c", "ulimit -Sn; ulimit -Hn"]));
}

/** What `ulimit -Sn; ulimit -Hn` prints. */
export function parseUlimit(text: string | null): DescriptorLimits | null {
  const limits = (text ?? "").trim().split(/\s+/);
  if (limits.length !== 2) return null;
  const [soft, hard] = limits.map((limit) =>
    limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit),
  );
  return Number.isNaN(soft) || Number.isNaN(hard) ? null : { soft: soft!, hard: hard! };
}

/** `launchctl limit maxfiles`: "maxfiles    256            unlimited". */
export function parseLaunchctl(text: string | null): DescriptorLimits | null {
  const row = /maxfiles\s+(\S+)\s+(\S+)/.exec(text ?? "");
  return row === null ? null : parseUlimit(`${row[1]} ${row[2]}`);
}

/** Of the shell that this was started from; on macOS of launchd, which every shell begins with. */
function readShellLimits(machine: Machine): DescriptorLimits | null {
  if (machine.platform === "macos") return parseLaunchctl(machine.run("launchctl", ["limit", "maxfiles"]));
  let pid = parseParent(machine.readText("/proc/self/stat"));
  for (let step = 0; step < ANCESTORS_MAX && pid > 0; step++) {
    const stat = machine.readText(`/proc/${pid}/stat`);
    const parent = parseParent(stat);
    const parentName = nameFrom(machine.readText(`/proc/${parent}/stat`));
    if (!RUNTIMES.test(nameFrom(stat)) && !parentName.startsWith("npm")) {
      const limits = parseDescriptorLimits(machine.readText(`/proc/${pid}/limits`));
      return Number.isNaN(limits.soft) ? null : limits;
    }
    pid = parent;
  }
  return null;
}

function nameFrom(stat: string | null): string {
  return parseTaskStat(stat)?.name ?? "";
}

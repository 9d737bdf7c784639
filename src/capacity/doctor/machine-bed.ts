// What the doctor's tests share: a machine that answers with recorded texts, and none beyond them.
//
// The texts of Linux were taken from a virtual machine of two cores; those of macOS are written after its manual pages
// (sysctl(8), launchctl(1), vm_stat(1), mount(8)), with the values of a machine that nobody tuned.

import type { Finding, Mend } from "./finding.ts";
import type { Machine, Platform } from "./machine.ts";

export interface Recording {
  readonly platform?: Platform;
  readonly files?: Readonly<Record<string, string>>;
  /** By the whole command: "sysctl -n hw.memsize". */
  readonly programs?: Readonly<Record<string, string>>;
}

export function recorded(recording: Recording): Machine {
  return {
    platform: recording.platform ?? "linux",
    readText: (path) => recording.files?.[path] ?? null,
    list: () => null,
    run: (program, words) => recording.programs?.[[program, ...words].join(" ")] ?? null,
  };
}

export function limitsText(soft: number | "unlimited", hard: number | "unlimited"): string {
  return (
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
    "Max processes             95863                95863                processes \n" +
    `Max open files            ${soft}                 ${hard}                files     \n`
  );
}

/** /proc/PID/stat, as far as it is read. */
export function statText(name: string, parent: number): string {
  return `9 (${name}) S ${parent} 9 9 0 -1 4194560 0 0 0 0 12 3 0 0 20 0 1 0 100 0 0\n`;
}

export const LINUX_FILES: Readonly<Record<string, string>> = {
  "/proc/self/limits": limitsText(20000, 20000),
  "/proc/self/stat": statText("node", 20),
  "/proc/self/status": "Name:\tnode\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
  "/proc/20/stat": statText("bash", 1),
  "/proc/20/limits": limitsText(1024, 20000),
  "/proc/1/stat": statText("systemd", 0),
  "/proc/self/cgroup": "4:memory:/app\n3:cpuset:/\n1:cpu,cpuacct:/app\n0::/app\n",
  "/proc/self/mountinfo": [
    "22 27 0:21 / /proc rw,relatime - proc proc rw",
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
    "30 27 0:25 / /mnt/a\\040disk rw,relatime shared:7 - xfs /dev/vdb rw",
    "31 27 0:26 / /run rw,nosuid shared:8 master:2 - tmpfs tmpfs rw",
    "33 27 0:30 / /var/lib/nfs rw - nfs4 server:/export rw",
    "36 27 0:33 / /var rw - xfs /dev/vdd rw",
    "34 27 0:31 / /srv rw - ext4 /dev/vdc rw",
    "35 34 0:32 / /srv rw - overlay overlay rw",
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
    "",
  ].join("\n"),
  "/proc/sys/fs/file-nr": "1472\t0\t2466186\n",
  "/proc/sys/fs/nr_open": "1048576\n",
  "/proc/sys/net/core/somaxconn": "4096\n",
  "/proc/sys/net/ipv4/tcp_max_syn_backlog": "2048\n",
  "/proc/sys/net/ipv4/tcp_syncookies": "1\n",
  "/proc/sys/net/ipv4/tcp_abort_on_overflow": "0\n",
  "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
  "/proc/sys/net/ipv4/tcp_tw_reuse": "2\n",
  "/proc/sys/net/ipv4/tcp_timestamps": "1\n",
  "/proc/sys/vm/overcommit_memory": "0\n",
  "/proc/meminfo":
    "MemTotal:       24684092 kB\nMemFree:        24093056 kB\nMemAvailable:   24229876 kB\n" +
    "SwapTotal:             0 kB\nSwapFree:              0 kB\n",
  "/proc/pressure/cpu":
    "some avg10=3.12 avg60=2.01 avg300=1.25 total=2538091107\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
  "/sys/devices/system/cpu/online": "0-1\n",
  "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
  "/sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc kvm-clock hpet \n",
};

export const MACOS_PROGRAMS: Readonly<Record<string, string>> = {
  "sh -c ulimit -Sn; ulimit -Hn": "1048576\nunlimited\n",
  "launchctl limit maxfiles": "\tmaxfiles    256            unlimited      \n",
  "sysctl -n kern.maxfiles": "245760\n",
  "sysctl -n kern.num_files": "5760\n",
  "sysctl -n kern.maxfilesperproc": "122880\n",
  "sysctl -n kern.ipc.somaxconn": "128\n",
  "sysctl -n net.inet.ip.portrange.first": "49152\n",
  "sysctl -n net.inet.ip.portrange.last": "65535\n",
  "sysctl -n net.inet.tcp.msl": "15000\n",
  "sysctl -n hw.logicalcpu": "8\n",
  "sysctl -n hw.perflevel0.logicalcpu": "4\n",
  "sysctl -n hw.perflevel1.logicalcpu": "4\n",
  "sysctl -n hw.memsize": "17179869184\n",
  "sysctl -n vm.swapusage": "total = 2048.00M  used = 1024.00M  free = 1024.00M  (encrypted)\n",
  "sysctl -n vm.loadavg": "{ 2.05 1.94 1.80 }\n",
  vm_stat:
    "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                               100000.\n" +
    "Pages active:                             300000.\nPages inactive:                           200000.\n" +
    "Pages speculative:                         10000.\nPages wired down:                         100000.\n",
  mount:
    "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n" +
    "devfs on /dev (devfs, local, nobrowse)\n" +
    "/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)\n" +
    "//me@nas/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)\n",
};

/** The recorded Linux, with some of its files otherwise or, with null, gone. */
export function linux(changes: Readonly<Record<string, string | null>> = {}): Machine {
  const files: Record<string, string> = { ...LINUX_FILES };
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) delete files[path];
    else files[path] = text;
  }
  return recorded({ files });
}

export function macos(changes: Readonly<Record<string, string>> = {}): Machine {
  return recorded({ platform: "macos", programs: { ...MACOS_PROGRAMS, ...changes } });
}

/** Neither files nor programs answer: no /proc, nothing in the PATH. */
export const BARE: Machine = recorded({});

export function commandsOf(finding: Finding | null, system: keyof Mend): string[] {
  return (finding?.mend?.[system] ?? []).map(({ command }) => command);
}

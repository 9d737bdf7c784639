// The clock: a source that the processor reads by itself is cheap, any other costs a system call or a device access for
// each reading, and the server reads it several times a request. A wall clock that is not set gives metrics
// without a time of their own the wrong one.

import { type Finding, finding, type Mend, unknown } from "./finding.ts";
import type { Machine } from "./machine.ts";
import { formatAbout } from "./quantity.ts";

const FOLDER = "/sys/devices/system/clocksource/clocksource0";
/** Read in user space, without the kernel. */
const FAST_SOURCES = [
  "tsc",
  "kvm-clock",
  "arch_sys_counter",
  "hyperv_clocksource_tsc_page",
  "riscv_clocksource",
];
/** No machine that is set can be before this: the year that this was built in. */
export const YEAR_LEAST = 2026;
const READING_NS_SLOW = 1_000;
const READINGS = 20_000;
const READ_MS_MAX = 50;

export interface ClockTrial {
  /** Of one reading, nanoseconds. */
  readonly costNs: number;
  /** Smallest step that was seen, nanoseconds. */
  readonly stepNs: number;
}

/** Reads the monotonic clock for at most READ_MS_MAX. */
export function tryClock(): ClockTrial {
  const start = process.hrtime.bigint();
  const end = start + BigInt(READ_MS_MAX * 1e6);
  let last = start;
  let readings = 0;
  let stepNs = Number.POSITIVE_INFINITY;
  while (readings < READINGS && last < end) {
    const now = process.hrtime.bigint();
    if (now > last) stepNs = Math.min(stepNs, Number(now - last));
    last = now;
    readings += 1;
  }
  return { costNs: Number(last - start) / readings, stepNs };
}

export function checkClockSource(machine: Machine, trial: ClockTrial): Finding {
  const id = "clock";
  const measured = `a reading takes ${formatAbout(trial.costNs)} ns, smallest step ${formatAbout(trial.stepNs)} ns`;
  const source = machine.readText(`${FOLDER}/current_clocksource`)?.trim();
  const isSlowToRead = trial.costNs >= READING_NS_SLOW;
  if (source === undefined || source === "") {
    // macOS has one clock, and it is a fast one: what was measured says enough.
    if (machine.platform !== "macos") return unknown(id, `${FOLDER} cannot be read; ${measured}`);
    return finding(
      id,
      isSlowToRead ? "warn" : "ok",
      measured,
      isSlowToRead ? "slow to read: each request reads it several times" : "cheap to read",
    );
  }
  const isFast = FAST_SOURCES.includes(source);
  const available = machine.readText(`${FOLDER}/available_clocksource`)?.trim().split(/\s+/) ?? [];
  const better = FAST_SOURCES.find((name) => available.includes(name));
  return finding(
    id,
    isFast && !isSlowToRead ? "ok" : "warn",
    `${source}: ${measured}`,
    isFast
      ? isSlowToRead
        ? "slow to read for such a source: the machine is busy, or a hypervisor traps it"
        : "read without a system call"
      : "each reading goes through the kernel to a device, several times a request",
    {
      mend: isFast ? null : mendSource(better),
      figures: { source, cost_ns: trial.costNs, step_ns: trial.stepNs },
    },
  );
}

function mendSource(better: string | undefined): Mend {
  return {
    linux:
      better === undefined
        ? [
            {
              when: "for good",
              command: "sudo grubby --update-kernel=ALL --args='tsc=reliable clocksource=tsc'",
            },
          ]
        : [{ when: "now", command: `echo ${better} | sudo tee ${FOLDER}/current_clocksource` }],
    macos: [],
  };
}

export function checkClockSet(machine: Machine, wallMs: number): Finding {
  const id = "clock set";
  const now = new Date(wallMs);
  const found = `${now.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if (now.getUTCFullYear() < YEAR_LEAST) {
    return finding(
      id,
      "bad",
      found,
      `before ${YEAR_LEAST}, when this was built: metrics would be stored with a wrong time`,
      {
        mend: mendSet(),
      },
    );
  }
  const isSynchronised = readSynchronised(machine);
  if (isSynchronised === null) {
    return finding(
      id,
      "unknown",
      found,
      "neither timedatectl nor chronyc says whether it is kept in step",
      {},
    );
  }
  return isSynchronised
    ? finding(id, "ok", `${found}, kept in step`, "metrics without a time of their own get the right one")
    : finding(id, "warn", `${found}, not kept in step`, "metrics without a time of their own drift with it", {
        mend: mendSet(),
      });
}

function mendSet(): Mend {
  return {
    linux: [{ when: "now", command: "sudo timedatectl set-ntp true   # or: sudo chronyc makestep" }],
    macos: [{ when: "now", command: "sudo systemsetup -setusingnetworktime on" }],
  };
}

/** Null where nobody says. */
export function readSynchronised(machine: Machine): boolean | null {
  const told = machine.run("timedatectl", ["show", "--property=NTPSynchronized", "--value"])?.trim();
  if (told === "yes") return true;
  const chrony = /^Leap status\s*:\s*(.+)$/m.exec(machine.run("chronyc", ["-n", "tracking"]) ?? "")?.[1];
  if (chrony !== undefined) return chrony.trim() !== "Not synchronised";
  return told === "no" ? false : null;
}

// Cores: how many there are, how many this process may use, how much of them it is given, and who else takes of them.
// What a core does in requests a second only a measurement says (tidemark capacity); here is what would falsify it:
// a quota that stops all threads for the rest of each period, a hypervisor that lends the core to somebody else, a
// governor that keeps it slow.

import { parseAllowedCores, parseMachineSeconds, parsePressure } from "../../base/proc-texts.ts";
import { type GroupLimit, readQuota } from "./cgroup.ts";
import { type Finding, finding, type Mend, type Remedy, unknown } from "./finding.ts";
import { type Machine, readSysctl } from "./machine.ts";
import { formatAbout, formatPercent } from "./quantity.ts";

const CPU_FOLDER = "/sys/devices/system/cpu";
const STEAL_WARN = 0.05;
const PRESSURE_WARN = 0.25;
/** With these drivers "powersave" is the ordinary setting, and clocks up under load. */
const DRIVERS_OF_THEIR_OWN = ["intel_pstate", "amd-pstate-epp", "amd_pstate_epp"];

/** Cores that this process may use, as far as affinity goes; `fallback` where the system does not say. */
export function coresAllowed(machine: Machine, fallback: number): number {
  const allowed = parseAllowedCores(machine.readText("/proc/self/status")).length;
  return allowed > 0 ? allowed : fallback;
}

export function checkCores(machine: Machine, coresCounted: number): Finding {
  const id = "cores";
  if (machine.platform === "macos") return checkCoresMacos(machine, id, coresCounted);
  const online = countOnline(machine);
  const allowed = coresAllowed(machine, coresCounted);
  const quota = readQuota(machine);
  const governor = readGovernor(machine);
  const usable = Math.min(allowed, quota?.amount ?? Number.POSITIVE_INFINITY);
  const isCut = usable < allowed;
  const isBound = online !== null && allowed < online;
  const means = [
    `${formatAbout(usable)} ${usable === 1 ? "core" : "cores"} for the server; ${isCut ? "over the quota all its threads stop until the period ends" : `--threads auto starts ${allowed}`}`,
  ];
  if (usable <= 1) means.push("whatever measures it on this machine takes of the same core");
  if (isBound) means.push(`affinity keeps it from ${online - allowed} more`);
  if (governor === "powersave") means.push("the powersave governor keeps the clock low");
  const isFine = !isCut && governor !== "powersave";
  return finding(
    id,
    isFine ? "ok" : "warn",
    `${online === null ? "" : `${online} online, `}${allowed} allowed, ${describeQuota(quota)}` +
      (governor === null ? "" : `, governor ${governor}`),
    means.join("; "),
    {
      mend: isFine ? null : mendCores(quota, allowed, isCut, governor),
      figures: { online, allowed, quota: quota?.amount ?? null, governor },
    },
  );
}

function checkCoresMacos(machine: Machine, id: string, coresCounted: number): Finding {
  const logical = readSysctl(machine, "hw.logicalcpu");
  const fast = readSysctl(machine, "hw.perflevel0.logicalcpu");
  const slow = readSysctl(machine, "hw.perflevel1.logicalcpu");
  const cores = Number.isFinite(logical) ? logical : coresCounted;
  return finding(
    id,
    "ok",
    `${cores}${Number.isFinite(fast) && Number.isFinite(slow) ? `: ${fast} fast and ${slow} slow ones` : ""}`,
    `--threads auto starts ${cores}; slow cores take longer for the same work`,
  );
}

function describeQuota(quota: GroupLimit | null): string {
  if (quota === null) return "quota not known";
  return quota.file === null ? "no quota" : `quota ${formatAbout(quota.amount)} cores`;
}

function mendCores(quota: GroupLimit | null, allowed: number, isCut: boolean, governor: string | null): Mend {
  const linux: Remedy[] = [];
  if (isCut && quota !== null) {
    const none = quota.file?.endsWith("cpu.max") ? "max" : "-1";
    linux.push({ when: "now", command: `echo ${none} | sudo tee ${quota.file}` });
    linux.push({ when: "in a container", command: `docker update --cpus ${allowed} CONTAINER` });
    linux.push({
      when: "as a service",
      command: `sudo systemctl set-property tidemark CPUQuota=${allowed * 100}%`,
    });
  }
  if (governor === "powersave")
    linux.push({ when: "now", command: "sudo cpupower frequency-set -g performance" });
  return { linux, macos: [{ when: "now", command: "sudo pmset -a lowpowermode 0" }] };
}

function countOnline(machine: Machine): number | null {
  const cores = parseAllowedCores(
    `Cpus_allowed_list:\t${machine.readText(`${CPU_FOLDER}/online`)?.trim() ?? ""}`,
  );
  return cores.length > 0 ? cores.length : null;
}

function readGovernor(machine: Machine): string | null {
  const folder = `${CPU_FOLDER}/cpu0/cpufreq`;
  const governor = machine.readText(`${folder}/scaling_governor`)?.trim() ?? null;
  const driver = machine.readText(`${folder}/scaling_driver`)?.trim() ?? "";
  return governor === "powersave" && DRIVERS_OF_THEIR_OWN.includes(driver)
    ? `powersave (${driver})`
    : governor;
}

/** Of two readings of /proc/stat, the part of all time that the hypervisor took. Null where it is not told. */
export function stolenRatio(before: string | null, after: string | null): number | null {
  const first = parseMachineSeconds(before);
  const second = parseMachineSeconds(after);
  if (first === null || second === null) return null;
  const stolen = Math.max(0, second.stolen - first.stolen);
  const all = stolen + second.busy - first.busy + second.idle - first.idle;
  return all > 0 ? stolen / all : null;
}

export function checkContention(
  machine: Machine,
  statBefore: string | null,
  statAfter: string | null,
): Finding {
  const id = "contention";
  const stolen = stolenRatio(statBefore, statAfter);
  const pressures = (["cpu", "io", "memory"] as const).map((resource) => ({
    resource,
    ratio: parsePressure(machine.readText(`/proc/pressure/${resource}`)).ratio,
  }));
  const known = pressures.filter(({ ratio }) => Number.isFinite(ratio));
  if (stolen === null && known.length === 0) {
    const load = /\{ ([\d.]+) /.exec(machine.run("sysctl", ["-n", "vm.loadavg"]) ?? "")?.[1];
    return load === undefined
      ? unknown(id, "neither /proc/stat nor /proc/pressure is there")
      : finding(
          id,
          "ok",
          `load ${load} over the last minute`,
          "threads that ran or wanted to; more than the cores means waiting",
        );
  }
  const isStolen = stolen !== null && stolen >= STEAL_WARN;
  const tight = known.filter(({ ratio }) => ratio >= PRESSURE_WARN);
  const means: string[] = [];
  if (isStolen)
    means.push(
      `the hypervisor gives ${formatPercent(stolen)} of the cores' time to others: measured rates vary with it`,
    );
  for (const { resource, ratio } of tight)
    means.push(`tasks here waited for ${resource} ${formatPercent(ratio)} of the last 10 s`);
  return finding(
    id,
    means.length === 0 ? "ok" : "warn",
    [
      stolen === null ? "steal not known" : `steal ${formatPercent(stolen)}`,
      known.length === 0
        ? "pressure not known"
        : `waiting ${known.map(({ resource, ratio }) => `${resource} ${formatPercent(ratio)}`).join(", ")}`,
    ].join("; "),
    means.length === 0 ? "nobody else is in the way now" : means.join("; "),
    {
      mend:
        means.length === 0
          ? null
          : {
              linux: [
                {
                  when: "now",
                  command: isStolen
                    ? "vmstat 1   # column st; ask for dedicated cores where it stays high"
                    : "top -o %CPU   # on io: iotop -o; end or move what is in the way",
                },
              ],
              macos: [{ when: "now", command: "top -o cpu" }],
            },
      figures: {
        steal_ratio: stolen,
        ...Object.fromEntries(known.map(({ resource, ratio }) => [`${resource}_ratio`, ratio])),
      },
    },
  );
}

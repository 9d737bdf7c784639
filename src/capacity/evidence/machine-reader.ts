// The machine as a whole: what all of its cores did, what the hypervisor took, what tasks waited for, and the memory
// that is left. Main thread, four small files a sample.

import type { OsFiles } from "../../base/os-files.ts";
import { parseColon, parseMachineSeconds, parsePressure } from "../../base/proc-texts.ts";
import { orNull } from "./known.ts";
import type { MachineSample } from "./sample.ts";

/** The cores' rows come first; the rows of interrupts behind them can be long and are not needed. */
const STAT_BYTES_MAX = 32 * 1024;
const SMALL_BYTES_MAX = 4 * 1024;

export function readMachine(files: OsFiles): MachineSample {
  const seconds = parseMachineSeconds(files.readText("/proc/stat", STAT_BYTES_MAX));
  return {
    cores: seconds?.cores ?? null,
    busyS: seconds?.busy ?? null,
    stolenS: seconds?.stolen ?? null,
    idleS: seconds?.idle ?? null,
    pressureCpuMs: readPressure(files, "cpu"),
    pressureIoMs: readPressure(files, "io"),
    pressureMemoryMs: readPressure(files, "memory"),
    memoryAvailableBytes: orNull(
      parseColon(files.readText("/proc/meminfo", SMALL_BYTES_MAX), "MemAvailable"),
    ),
  };
}

function readPressure(files: OsFiles, resource: "cpu" | "io" | "memory"): number | null {
  return orNull(parsePressure(files.readText(`/proc/pressure/${resource}`, SMALL_BYTES_MAX)).totalMs);
}

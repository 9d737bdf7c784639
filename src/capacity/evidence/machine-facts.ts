// What machine a run was made on, for its report: figures of two machines cannot be put side by side without it.

import { arch, cpus, release, totalmem, type } from "node:os";
import type { ReportJson } from "../report/report-json.ts";
import { machineShare } from "./counter-growth.ts";
import type { Sample } from "./sample.ts";

/** `stolen_ratio` is known only after the run; see stolenRatio(). */
export function readMachineFacts(): ReportJson["machine"] {
  const cores = cpus();
  return {
    processor: cores[0]?.model.trim() || "unknown",
    cores: cores.length,
    memory_bytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    stolen_ratio: null,
  };
}

/** Share of all CPU time between two samples that the hypervisor took; null where unknown. */
export function stolenRatio(first: Sample | undefined, last: Sample | undefined): number | null {
  if (first === undefined || last === undefined) return null;
  return machineShare([first, last], ({ stolenS }) => stolenS);
}

// Which sources of evidence a run had not, in words for the report: a suspect that nobody could look at is unknown, and
// the reader should know what would have told. Pure.

import type { TargetFacts } from "../level.ts";
import { type Figure, knownFigures } from "./counter-growth.ts";
import type { Sample } from "./sample.ts";

/** `facts` may carry what was found missing when the target was met (findTargetFacts). */
export function missingSources(
  samples: readonly Sample[],
  facts: TargetFacts & { readonly missing?: readonly string[] },
): string[] {
  const missing = [...(facts.missing ?? [])];
  const isUnknown = (figure: Figure) => samples.length > 0 && knownFigures(samples, figure).length === 0;
  const note = (figure: Figure, text: string) => {
    if (isUnknown(figure)) missing.push(text);
  };
  if (facts.pid === null)
    missing.push(
      facts.isLocal
        ? "no --pid: descriptors, threads and memory of the target are unknown"
        : "the target is on another machine: its descriptors, threads, memory and sockets are unknown",
    );
  else {
    note(
      ({ process }) => process?.cpuS,
      "/proc shows nothing of the target's process: its threads are unknown",
    );
    if (!isUnknown(({ process }) => process?.cpuS)) {
      note(
        ({ process }) => process?.descriptorsUsed,
        "the target's descriptors may not be read: run as its user or as root",
      );
      note(
        ({ process }) => process?.threads[0]?.waitS,
        "no schedstat: how long threads waited for a core is unknown",
      );
    }
    note(
      ({ quota }) => quota?.quotaCores,
      "no control group of the target was found: a CPU quota is unknown",
    );
  }
  if (!facts.isTidemark)
    missing.push(
      "the target has no GET /stats of a Tidemark: its queue, its log and its rate limit are unknown",
    );
  else note(({ stats }) => stats?.received, "GET /stats was never answered in time");
  note(({ machine }) => machine.busyS, "no /proc/stat: what the machine's cores did is unknown");
  note(({ machine }) => machine.pressureCpuMs, "no /proc/pressure: what tasks waited for is unknown");
  if (facts.isLocal || facts.pid !== null) {
    note(
      ({ network }) => network.listenOverflows,
      "no /proc/net/netstat: connections refused by the kernel are unknown",
    );
    note(({ network }) => network.acceptQueueMax, "the target's accept queue was not found in /proc/net/tcp");
    if (!facts.isTidemark)
      note(({ network }) => network.acceptQueueCap, "no `ss`: the cap of the accept queue is unknown");
  }
  return missing;
}

// The side that asks: the generator itself too slow or out of descriptors, the client's ports used up, the network between.
// Where the generator is the limit, figures say little of the server, whatever they look like. Pure.

import type { LoadPlan } from "../load/load-plan.ts";
import { countText, msUnitText, shareText } from "../report/figures.ts";
import { isSendLate } from "./choose-levels.ts";
import { type Reading, shareOf } from "./reading.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import {
  GENERATOR_BUSY,
  GENERATOR_WAITS,
  GENERATOR_WANTS,
  LATENESS_EXPLAINED_MIN,
  PORTS_NEAR,
  RETRANSMITS_SHARE,
  SEND_LAG_MS_POSSIBLE,
  THREAD_WAITS,
} from "./thresholds.ts";

export const GENERATOR: Rule = {
  id: "generator",
  title: "the load generator itself",
  restsOn: ({ load }) => [
    { what: "the CPU of the generator's threads", value: busiestRatio(load.generator) },
    { what: "how late it sent", value: isPlanned(load.plan) && load.sendLag.count() === 0 ? null : true },
  ],
  judge: judgeGenerator,
};

function judgeGenerator(reading: Reading): Opinion {
  const { load, processor } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const isOutOfPorts = shareOf(reading, load.errors.no_port) > 0;
  const isVoid = load.void !== null && !isOutOfPorts;
  if (load.void !== null) pros.push(`The generator called the level void: ${load.void}.`);
  const noDescriptor = load.errors.no_descriptor;
  if (noDescriptor > 0)
    pros.push(
      `${countText(noDescriptor)} connections were not made because the generator had no descriptor left.`,
    );
  const busy = busiestRatio(load.generator);
  const isBusy = busy !== null && busy >= GENERATOR_BUSY;
  if (busy !== null)
    (isBusy ? pros : cons).push(
      `Its busiest thread of ${countText(load.generator.length)} used ${shareText(round(busy))} of a core.`,
    );
  const lagMs = load.sendLag.percentile(0.99) / 1e6;
  const isLate = isSendLate(load);
  const isLateSomewhat = isPlanned(load.plan) && lagMs >= SEND_LAG_MS_POSSIBLE;
  if (Number.isFinite(lagMs))
    (isLate || isLateSomewhat ? pros : cons).push(
      `It was late by ${msUnitText(lagMs)} at p99 with sends that it could have made.`,
    );
  const wait = longestWait(load.generator);
  const isStarved =
    busy !== null && wait !== null && wait >= GENERATOR_WAITS && busy + wait >= GENERATOR_WANTS;
  if (isStarved)
    pros.push(
      `That side waited for a core ${shareText(round(wait))} of the time: it could not ask as fast as it wanted.`,
    );
  const isServersToo = processor.isSaturated === true;
  if (isServersToo && (isBusy || isStarved) && !isVoid)
    cons.push(
      "The server's processor was at its limit as well, so the generator was fast enough to find it.",
    );
  const voidElsewhere = reading.levels.filter(({ level }) => level.load.void !== null).length;
  if (voidElsewhere > 0 && load.void === null)
    pros.push(`${countText(voidElsewhere)} other levels were void; this one was not.`);
  // Where the server has time to spare, nothing was missed, and further levels were void, the generator ended the search.
  const didEnd = voidElsewhere > 0 && reading.level.objective.met && processor.isSaturated === false;
  const hasTime = processor.isSaturated === false && (processor.threadWait ?? 0) < THREAD_WAITS;
  const isLimit = (isBusy || isStarved) && hasTime && reading.level.kind === "unpaced";
  const isLateness =
    isLate &&
    !isServersToo &&
    !reading.level.objective.met &&
    lagMs >= LATENESS_EXPLAINED_MIN * reading.latencyMsP99;
  const isConfirmed = isVoid || noDescriptor > 0 || didEnd || isLimit || isLateness;
  const isPossible = load.void !== null || isBusy || isStarved || isLateSomewhat || voidElsewhere > 0;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.99 : isServersToo ? 0.15 : isLate || isBusy || isStarved ? 0.4 : 0.2,
    for: pros,
    against: cons,
    check:
      "Linux: top -H -p $(pgrep -f 'capacity|load' | head -1) while it runs — its threads near 100 %; ulimit -n beside --clients. macOS: top -stats pid,cpu,th. Compare with two generators on two machines: if the sum is more, the one was the limit",
    fix: "more generator threads (--threads), the generator on a machine of its own, fewer clients a thread, ulimit -n above the number of clients",
    remedy: {
      kind: "none",
      why: "it is not the server's setting: the load has to be made elsewhere or with more threads",
    },
  };
}

/** Sends that have a time of their own: without a plan nothing can be late. */
function isPlanned({ arrivals }: LoadPlan): boolean {
  return arrivals.kind === "open" || arrivals.paceMs > 0;
}

/** Busiest thread without the time that it spun waiting for the next send; null where no thread knows. */
function busiestRatio(threads: Reading["load"]["generator"]): number | null {
  const ratios = threads
    .filter(({ cpuRatio }) => cpuRatio !== null)
    .map(({ cpuRatio, spinRatio }) => Math.max(0, cpuRatio! - spinRatio));
  return ratios.length === 0 ? null : Math.max(...ratios);
}

function longestWait(threads: Reading["load"]["generator"]): number | null {
  const waits = threads.map(({ waitRatio }) => waitRatio).filter((wait) => wait !== null);
  return waits.length === 0 ? null : Math.max(...waits);
}

export const CLIENT_PORTS: Rule = {
  id: "client-ports",
  title: "client ports",
  restsOn: ({ evidence }) => [
    { what: "ports in use by clients", value: evidence.portsUsedMax },
    { what: "ports that a client may use", value: evidence.portsAvailable },
  ],
  judge: judgePorts,
};

function judgePorts(reading: Reading): Opinion {
  const { evidence, load } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const lacking = load.errors.no_port;
  if (lacking > 0)
    pros.push(
      `${countText(lacking)} of ${countText(load.requests)} requests failed because no client port was left (EADDRNOTAVAIL).`,
    );
  const { portsUsedMax: used, portsAvailable: available } = evidence;
  const ratio = used === null || available === null || available <= 0 ? null : used / available;
  if (ratio !== null)
    (ratio >= PORTS_NEAR || lacking > 0 ? pros : cons).push(
      `At most ${countText(used)} of ${countText(available)} client ports were in use${waitText(evidence.timeWaitMax)}.`,
    );
  if (lacking === 0) cons.push("No connect failed for want of a port.");
  const isConfirmed = lacking > 0 && shareOf(reading, lacking) >= reading.harmShare / 2;
  const isPossible = lacking > 0 || (ratio ?? 0) >= PORTS_NEAR;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.995 : 0.35,
    for: pros,
    against: cons,
    check:
      "Linux: ss -s (timewait) beside sysctl net.ipv4.ip_local_port_range. macOS: netstat -an -p tcp | grep -c TIME_WAIT beside sysctl net.inet.ip.portrange.first net.inet.ip.portrange.last. Used up when the first comes near the width of the range",
    fix: "keep-alive, so that a connection carries more than one request; sysctl -w net.ipv4.ip_local_port_range='1024 65535' and net.ipv4.tcp_tw_reuse=1 on the client's side (macOS: sysctl -w net.inet.ip.portrange.first=1024)",
    remedy: {
      kind: "none",
      why: "ports are a limit of the client's side, which the server's settings do not change",
    },
  };
}

function waitText(timeWait: number | null): string {
  return timeWait === null ? "" : `; ${countText(timeWait)} sockets were in time-wait`;
}

export const NETWORK: Rule = {
  id: "network",
  title: "the network",
  restsOn: ({ evidence, isWayLossless }) =>
    isWayLossless
      ? []
      : [
          { what: "segments sent again", value: evidence.retransmits },
          { what: "the width of the network to the server", value: null },
        ],
  judge: judgeNetwork,
};

function judgeNetwork(reading: Reading): Opinion {
  const { target, evidence, load } = reading;
  const advice = {
    check:
      "Linux: nstat -az TcpRetransSegs before and after, against TcpOutSegs; sar -n DEV 1 or ip -s link for the width; ping the server for the way. macOS: netstat -s -p tcp | grep retransmit; netstat -w 1",
    fix: "the generator nearer to the server, a wider link, or fewer bytes a request (compressed bodies, larger batches)",
    remedy: { kind: "none", why: "the network is outside of the server" },
  } as const;
  if (reading.isWayLossless) {
    const way = target.isLoopback ? "the loopback interface" : "an address of this machine itself";
    const against = [`The server was reached through ${way}: no network lay between.`];
    return { verdict: "ruled-out", weight: 0, for: [], against, ...advice };
  }
  const again = evidence.retransmits;
  const share = again === null ? 0 : shareOf(reading, again);
  const isLossy = again !== null && share >= RETRANSMITS_SHARE;
  const sentence = `${countText(again)} segments were sent again during ${countText(load.requests)} requests.`;
  return {
    verdict: isLossy ? "possible" : "unknown",
    weight: 0.4,
    for: isLossy ? [sentence] : [],
    against: again !== null && !isLossy ? [sentence] : [],
    ...advice,
  };
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

// File descriptors, and a cap on connections that comes of them. A server at its limit cannot accept: some fail with
// EMFILE, a Tidemark refuses with 503 before that, and in both cases the accept queue behind it may fill. Pure.

import { countText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, type Prediction, predict, predictAsked } from "./gain.ts";
import { type Reading, shareOf } from "./reading.ts";
import type { Remedy } from "./suspect.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import { DESCRIPTORS_FULL, DESCRIPTORS_NEAR } from "./thresholds.ts";

/** Twice what is needed, so that the next level is not the next limit; and what most systems allow without a question. */
const DESCRIPTORS_ADVISED_MIN = 65_536;

interface Use {
  readonly used: number | null;
  readonly soft: number | null;
  readonly ratio: number | null;
  /** Connections that a Tidemark takes; from any level, since a server at its cap may not answer GET /stats. */
  readonly cap: number | null;
  /** The cap was computed from the descriptor limit, as far as is known. */
  readonly isCapOfDescriptors: boolean;
}

export const DESCRIPTORS: Rule = {
  id: "descriptors",
  title: "file descriptors",
  restsOn: ({ evidence }) => [
    { what: "descriptors in use (needs --pid and /proc)", value: evidence.descriptorsUsedMax },
    { what: "the soft limit of descriptors", value: evidence.descriptorsSoft },
  ],
  judge: judgeDescriptors,
};

function judgeDescriptors(reading: Reading): Opinion {
  const use = useOf(reading);
  const pros: string[] = [];
  const cons: string[] = [];
  const unserved = unservedText(reading);
  const refusals = connectionRefusals(reading);
  const isFull = use.ratio !== null && use.ratio >= DESCRIPTORS_FULL;
  const isNear = use.ratio !== null && use.ratio >= DESCRIPTORS_NEAR;
  if (use.ratio !== null) {
    const sentence = `At most ${countText(use.used)} of ${countText(use.soft)} descriptors (the soft limit) were open: ${shareText(use.ratio)}.`;
    (isNear ? pros : cons).push(sentence);
  }
  let isCapped = false;
  if (refusals > 0 && use.cap !== null) {
    isCapped = refusals >= Math.max(1, reading.harmShare * reading.load.requests * 0.5);
    const whence = use.isCapOfDescriptors
      ? `a cap that it computes from its descriptor limit${use.soft === null ? "" : ` of ${countText(use.soft)}`}`
      : "which is what --connections-max was set to, not what its descriptors allow";
    pros.push(
      `The server refused ${countText(refusals)} connections because ${countText(use.cap)} were open, ${whence}.`,
    );
  }
  if (unserved !== null && (isFull || isCapped)) pros.push(unserved);
  if (unserved === null && isNear)
    cons.push("Every client was connected and answered all the same, so the limit did not bite yet.");
  const isConfirmed = (isFull || isCapped) && unserved !== null;
  const verdict = isConfirmed ? "confirmed" : isNear || isCapped || refusals > 0 ? "possible" : "ruled-out";
  const prediction = isConfirmed ? predictConnected(reading, use) : NO_PREDICTION;
  return {
    verdict,
    weight: isConfirmed ? 0.96 : 0.3 + 0.4 * (use.ratio ?? 0.5),
    for: [...pros, ...prediction.sentences],
    against: cons,
    predicted: prediction.factor,
    ...advice(reading, use),
  };
}

function useOf(reading: Reading): Use {
  const { descriptorsUsedMax: used, descriptorsSoft: soft } = reading.evidence;
  const caps = reading.levels.map(({ evidence }) => evidence.stats?.connectionsLimit ?? null);
  const cap = caps.find((each) => each !== null) ?? null;
  const setting = reading.target.settings?.connectionsMax;
  const ratio = used === null || soft === null || soft <= 0 ? null : used / soft;
  return { used, soft, ratio, cap, isCapOfDescriptors: typeof setting !== "number" };
}

/** Of a Tidemark: answers of 503 because too many connections are open. */
function connectionRefusals({ stats }: Reading): number {
  return Math.max(stats?.rejected.connections ?? 0, stats?.connectionsRefused ?? 0);
}

/** What the clients saw of it; null where each of them was connected and answered. */
function unservedText(reading: Reading): string | null {
  const { load } = reading;
  const { errors, connections, plan } = load;
  const kinds = [
    [errors.refused, "refused"],
    [errors.connect_timeout, "never connected"],
    [errors.reset, "cut off"],
    [errors.timeout, "timed out"],
    [errors.unavailable, "answered 503"],
  ] as const;
  const failed = kinds.reduce((sum, [count]) => sum + count, 0);
  const unanswered = plan.clients - connections.clientsAnswered;
  const isHarm = shareOf(reading, failed) >= reading.harmShare / 2 || connections.failed > 0;
  if (!isHarm && !(load.plan.arrivals.kind === "closed" && unanswered > 0)) return null;
  const parts = kinds.filter(([count]) => count > 0).map(([count, what]) => `${countText(count)} ${what}`);
  const list = parts.length === 0 ? [] : [`Of ${countText(load.requests)} requests ${parts.join(", ")}.`];
  if (unanswered > 0)
    list.push(`${countText(unanswered)} of ${countText(plan.clients)} clients were never answered.`);
  return list.join(" ");
}

function predictConnected(reading: Reading, use: Use): Prediction {
  const byRate = predictAsked(reading);
  if (byRate.factor !== null || reading.level.plannedRate !== null) return byRate;
  const { clients } = reading.load.plan;
  const served = Math.min(use.cap ?? clients, reading.load.connections.openMax || clients);
  if (served >= clients) return NO_PREDICTION;
  return predict(reading, clients / served, `${countText(clients)} clients ÷ ${countText(served)} connected`);
}

function advice(reading: Reading, use: Use): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid } = reading;
  const count = Math.max(DESCRIPTORS_ADVISED_MIN, 2 ** Math.ceil(Math.log2(reading.load.plan.clients * 2)));
  const remedy: Remedy = !reading.target.isTidemark
    ? { kind: "none", why: "the limit of a server that is not ours is set where that server is started" }
    : use.isCapOfDescriptors
      ? { kind: "descriptors", count }
      : { kind: "flags", flags: ["--connections-max", "auto"] };
  return {
    check:
      `Linux: grep 'open files' /proc/${pid}/limits; ls /proc/${pid}/fd | wc -l — at the limit when the second figure ` +
      `reaches the first of the two limits. macOS: launchctl limit maxfiles; lsof -p ${pid} | wc -l`,
    fix: use.isCapOfDescriptors
      ? `ulimit -n ${count} before the server is started (systemd: LimitNOFILE=${count}; Docker: --ulimit nofile=${count}; nginx: worker_rlimit_nofile)`
      : "--connections-max auto, which takes what the descriptor limit leaves",
    remedy,
  };
}

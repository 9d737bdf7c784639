// The doctor's answer for a program. Names are never taken away or given another meaning; new ones may come.

import { type Examination, exitCodeOf } from "./doctor.ts";
import { BOUND_NAMES, describeFirst } from "./first-limit.ts";

export function examinationJson(examination: Examination, version: string): Record<string, unknown> {
  const { findings, limits, question } = examination;
  return {
    version,
    platform: examination.platform,
    data: question.dataFolder,
    clients: question.clients,
    clients_fit: examination.doClientsFit,
    exit_code: exitCodeOf(examination),
    what_limits_first: describeFirst(limits, question),
    limits: limits.map(({ kind, amount, by }) => ({
      kind: kind.replaceAll("-", "_"),
      name: BOUND_NAMES[kind],
      amount,
      by: nameOf(by),
    })),
    findings: findings.map(({ id, verdict, found, means, mend, bounds, figures }) => ({
      id: nameOf(id),
      verdict,
      found,
      means,
      figures,
      mend: mend === null ? null : { linux: mend.linux, macos: mend.macos },
      bounds: bounds
        .filter(({ amount }) => Number.isFinite(amount))
        .map(({ kind, amount }) => ({ kind: kind.replaceAll("-", "_"), amount })),
    })),
  };
}

/** "listen queue" as the analyser's suspects are named: "listen-queue". */
function nameOf(id: string): string {
  return id.replaceAll(" ", "-");
}

// The doctor's answer for a person: one block a finding, at most 80 columns, colours only where they are asked for.
//
//   warn  listen queue    net.core.somaxconn 128, …            verdict, name, what was found
//                         128 connects may wait …              what it means
//         now:         sudo sysctl net.core.somaxconn=4096     the command, never broken
//         on macOS:    sudo sysctl kern.ipc.somaxconn=4096

//
// Commands of this system come first, all of them; of the other one only the first. Pure.

import type { Examination } from "./doctor.ts";
import { type Finding, NOT_KNOWN, type Remedy, type Verdict } from "./finding.ts";
import { BOUND_NAMES, describeFirst, formatAmount } from "./first-limit.ts";

const COLUMNS = 80;
const VERDICT_COLUMNS = 9;
const NAME_COLUMNS = 16;
const LABEL_COLUMNS = 12;
const INDENT = VERDICT_COLUMNS + NAME_COLUMNS;
const COLOURS: Readonly<Record<Verdict, string>> = { ok: "32", warn: "33", bad: "1;31", unknown: "36" };

const BOLD = "1";
const LABELS: Readonly<Record<Remedy["when"], string>> = {
  now: "now",
  "for good": "for good",
  "as a service": "service",
  "in a container": "container",
};

type Paint = (colour: string, text: string) => string;

export function formatExamination(examination: Examination, heading: string, hasColours: boolean): string {
  const paint: Paint = (colour, text) => (hasColours ? `\x1b[${colour}m${text}\x1b[0m` : text);
  const lines = [paint(BOLD, heading), ""];
  for (const finding of examination.findings) lines.push(...formatFinding(finding, examination, paint));
  lines.push("", ...formatLimits(examination), "");
  lines.push(formatCounts(examination.findings));
  const first = wrap(
    `what limits first: ${describeFirst(examination.limits, examination.question)}`,
    COLUMNS,
  );
  lines.push(...first.map((line) => paint(BOLD, line)));
  return `${lines.join("\n")}\n`;
}

function formatFinding(finding: Finding, examination: Examination, paint: Paint): string[] {
  const verdict = paint(COLOURS[finding.verdict], finding.verdict.padEnd(VERDICT_COLUMNS));
  const isNotKnown = finding.found === NOT_KNOWN;
  const text = isNotKnown ? `${NOT_KNOWN}: ${finding.means}` : finding.found;
  const [found, ...more] = wrap(text, COLUMNS - INDENT);
  const means = isNotKnown ? [] : wrap(finding.means, COLUMNS - INDENT);
  const indent = " ".repeat(INDENT);
  return [
    `${verdict}${finding.id.padEnd(NAME_COLUMNS)}${found}`,
    ...more.map((line) => indent + line),
    ...means.map((line) => indent + line),
    ...formatMend(finding, examination),
  ];
}

function formatMend({ mend }: Finding, { platform }: Examination): string[] {
  if (mend === null) return [];
  const isMacos = platform === "macos";
  const [here, there] = isMacos ? [mend.macos, mend.linux] : [mend.linux, mend.macos];
  const isSame = here[0]?.command === there[0]?.command;
  return [
    ...here.map((remedy) => formatRemedy(LABELS[remedy.when], remedy)),
    ...there
      .slice(0, isSame ? 0 : 1)
      .map((remedy) => formatRemedy(isMacos ? "on Linux" : "on macOS", remedy)),
  ];
}

/** A command too long for its place has a line of its own, unbroken: it is there to be copied. */
function formatRemedy(label: string, { command }: Remedy): string {
  const line = " ".repeat(VERDICT_COLUMNS) + `${label}:`.padEnd(LABEL_COLUMNS) + command;
  return line.length <= COLUMNS ? line : `${" ".repeat(VERDICT_COLUMNS)}${label}:\n    ${command}`;
}

function formatLimits({ limits }: Examination): string[] {
  if (limits.length === 0) return ["nothing is known that limits"];
  const amounts = limits.map(formatAmount);
  const amountColumns = Math.max(...amounts.map((amount) => amount.length));
  const nameColumns = Math.max(...limits.map(({ kind }) => BOUND_NAMES[kind].length));
  return [
    "the smallest that these limits allow",
    ...limits.map(
      ({ kind, by }, index) =>
        `  ${BOUND_NAMES[kind].padEnd(nameColumns)}  ${amounts[index]!.padStart(amountColumns)}  ${by}`,
    ),
  ];
}

function formatCounts(findings: readonly Finding[]): string {
  const verdicts: Verdict[] = ["bad", "warn", "unknown", "ok"];
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  return verdicts
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${verdict}`)
    .join(", ");
}

/** Breaks between words. A word longer than the columns stays whole. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

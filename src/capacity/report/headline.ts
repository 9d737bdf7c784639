// The four answers a reader wants at a glance, in words: how much, what stops it, what to do, and how far to trust it.
// Read from report.json alone, and said the same by the terminal, the Markdown and the page. Where a thing is not known
// the answer says so: a headline that sounds surer than its figures would be the worst fault of a report.

import { SUSPECT_IDS, type Verdict } from "../diagnosis/suspect.ts";
import {
  coarseShareText,
  countText,
  gainText,
  isKnown,
  msUnitText,
  plainLine,
  rateText,
  rateUnitText,
  UNKNOWN,
} from "./figures.ts";
import { levelTitle } from "./level-table.ts";
import type { PointJson, ReportJson, SuspectJson } from "./report-json.ts";

export interface Headline {
  readonly howMuch: {
    /** "21,040", "at least 21,040", "unknown". */
    readonly rate: string;
    readonly interval: string;
    readonly objective: string;
    /** Why there is no rate, or what the rate leaves open; empty where nothing is to be said. */
    readonly remark: string;
    /** The sweet spot and the breaking point, each in a line; none where neither is known. */
    readonly points: readonly string[];
  };
  readonly whatStops: {
    readonly suspect: SuspectJson | null;
    readonly title: string;
    /** The strongest that speaks for it; empty where there is none. */
    readonly figure: string;
    /** What else something speaks for, in their order. */
    readonly others: readonly SuspectJson[];
  };
  readonly whatToDo: { readonly fix: string; readonly gain: string };
  readonly trust: { readonly summary: string; readonly checks: readonly TrustCheck[] };
}

export interface TrustCheck {
  /** Null: cannot be known here. */
  readonly holds: boolean | null;
  readonly text: string;
}

/** Half of the interval, as a share of the rate, past which the rate is called uncertain: what repeats must hold. */
const HALF_INTERVAL_MAX = 0.1;
/** Share of a core past which a generator's thread may be the limit itself. */
const GENERATOR_BUSY_MAX = 0.9;
/** CPU time that the hypervisor may take before figures of two runs stop being comparable. */
const STOLEN_MAX = 0.05;

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  confirmed: "confirmed",
  possible: "possible",
  "ruled-out": "ruled out",
  unknown: "unknown",
};

export function readHeadline(report: ReportJson): Headline {
  const { capacity } = report;
  const first = firstSuspect(report);
  const rate = rateText(capacity.rate);
  return {
    howMuch: {
      rate: isKnown(capacity.rate) && capacity.is_at_least ? `at least ${rate}` : rate,
      interval:
        isKnown(capacity.low) && isKnown(capacity.high)
          ? `${rateText(capacity.low)} to ${rateText(capacity.high)}`
          : UNKNOWN,
      objective: objectiveText(capacity.objective),
      remark: capacityRemark(report),
      points: pointLines(report),
    },
    whatStops: {
      suspect: first,
      title: first === null ? noSuspectTitle(report) : plainLine(first.title),
      figure: first === null ? "" : plainLine(first.for[0] ?? ""),
      others: first === null ? [] : report.suspects.slice(1).filter(isLikely),
    },
    whatToDo:
      first === null
        ? whatToDoWithout(report)
        : { fix: plainLine(first.fix), gain: gainSentence(report, first) },
    trust: readTrust(report),
  };
}

/** The first that something speaks for; null where the list holds none. */
export function firstSuspect(report: ReportJson): SuspectJson | null {
  const first = report.suspects[0];
  return first !== undefined && isLikely(first) ? first : null;
}

/** Something speaks for it. */
export function isLikely(suspect: SuspectJson): boolean {
  return suspect.verdict === "confirmed" || suspect.verdict === "possible";
}

function pointLines(report: ReportJson): string[] {
  const { sweet_spot, breaking_point } = report.capacity;
  const lineOf = (name: string, point: PointJson | null) => {
    if (point === null) return [];
    const level = report.levels.find((one) => one.id === point.level);
    const load = level === undefined ? `${countText(point.clients)} clients` : levelTitle(level);
    return [`${name}: ${load}, ${rateUnitText(point.rate)}, p99 ${msUnitText(point.p99_ms)}`];
  };
  return [...lineOf("sweet spot", sweet_spot), ...lineOf("breaks at", breaking_point)];
}

/** 'success>=99%,p99<=50ms' as people write it. */
export function objectiveText(objective: string): string {
  return plainLine(objective)
    .replaceAll(">=", " ≥ ")
    .replaceAll("<=", " ≤ ")
    .replaceAll(/(?<=\d)(%|ms|s\b)/g, " $1")
    .replaceAll(/,\s*/g, ", ");
}

function capacityRemark(report: ReportJson): string {
  const { capacity } = report;
  if (report.void !== null) return "not to be relied on: the run is void";
  if (isKnown(capacity.rate))
    return capacity.is_at_least ? "the search ended before the server did: the true limit is higher" : "";
  if (report.levels.length === 0) return "no level was measured";
  if (!report.levels.some((level) => level.objective_met)) return "no level met the objective";
  return report.levels.some((level) => level.part === "search" || level.part === "repeat")
    ? "the search found no rate that held the objective"
    : "no search for the highest rate was made";
}

function noSuspectTitle(report: ReportJson): string {
  if (report.suspects.length === 0) return "no diagnosis was made";
  const unknown = report.suspects.filter((suspect) => suspect.verdict === "unknown").length;
  return unknown === 0
    ? "nothing found"
    : `unknown: ${unknown} of ${report.suspects.length} suspects could not be checked`;
}

function whatToDoWithout(report: ReportJson): { fix: string; gain: string } {
  return { fix: plainLine(report.next_step[0] ?? "nothing to recommend"), gain: "" };
}

/** What the fix should bring and what it brought, with the rate that it means. */
export function gainSentence(report: ReportJson, suspect: SuspectJson): string {
  const { predicted, measured } = suspect.gain;
  const said = isKnown(predicted)
    ? `predicted ${gainText(predicted)}${reachedText(report.capacity.rate, predicted)}`
    : "the gain cannot be predicted";
  return isKnown(measured) ? `${said}; measured ${gainText(measured)}` : `${said}; not measured`;
}

function reachedText(rate: number | null, gain: number): string {
  return isKnown(rate) ? `, about ${rateUnitText(Number((rate * gain).toPrecision(3)))}` : "";
}

function readTrust(report: ReportJson): Headline["trust"] {
  const checks = [
    ...(report.void === null ? [] : [{ holds: false, text: `void: ${plainLine(report.void)}` }]),
    intervalCheck(report),
    generatorCheck(report),
    lagCheck(report),
    littleCheck(report),
    stolenCheck(report),
    evidenceCheck(report),
  ];
  const failed = checks.filter((check) => check.holds === false).length;
  const open = checks.filter((check) => check.holds === null).length;
  return { summary: trustSummary(report, failed, open, checks.length), checks };
}

function trustSummary(report: ReportJson, failed: number, open: number, count: number): string {
  if (report.void !== null) return "not at all: the run is void";
  if (failed === 0 && open === 0) return `well: all ${count} checks hold`;
  if (open === count) return `unknown: none of ${count} checks could be made`;
  const parts = [
    ...(failed > 0 ? [`${failed} of ${count} checks ${failed === 1 ? "fails" : "fail"}`] : []),
    ...(open > 0 ? [`${open} of ${count} cannot be told`] : []),
  ];
  return `with care: ${parts.join(", ")}`;
}

function intervalCheck(report: ReportJson): TrustCheck {
  const { rate, low, high } = report.capacity;
  const repeats = report.levels.filter((level) => level.part === "repeat").length;
  if (!isKnown(rate) || !isKnown(low) || !isKnown(high) || rate <= 0)
    return { holds: null, text: "the rate has no interval" };
  const half = Math.max(high - rate, rate - low, 0) / rate;
  const times = repeats > 0 ? ` over ${repeats} repeats` : "";
  return { holds: half <= HALF_INTERVAL_MAX, text: `rate within ± ${coarseShareText(half)}${times}` };
}

function generatorCheck(report: ReportJson): TrustCheck {
  const voided = report.levels.filter((level) => level.void !== null).length;
  const busy = highest(report.levels.map((level) => level.generator.busy_ratio));
  const text = `generator's busiest thread ${busy === null ? UNKNOWN : `${coarseShareText(busy)} of a core`}`;
  if (voided > 0) return { holds: false, text: `${voided} of ${report.levels.length} levels void; ${text}` };
  return { holds: busy === null ? null : busy < GENERATOR_BUSY_MAX, text };
}

function lagCheck(report: ReportJson): TrustCheck {
  const met = report.levels.filter((level) => level.objective_met && level.kind !== "unpaced");
  const lag = highest(met.map((level) => level.send_lag_ms.p99));
  return {
    holds: lag === null ? null : lag <= 1,
    text:
      lag === null
        ? "how late requests were sent: unknown"
        : `sent at most ${msUnitText(lag)} late (p99, levels that met the objective)`,
  };
}

function littleCheck(report: ReportJson): TrustCheck {
  const known = report.levels.filter((level) => level.little.agrees !== null);
  if (known.length === 0) return { holds: null, text: "Little's law could not be checked" };
  const agreeing = known.filter((level) => level.little.agrees).length;
  return {
    holds: agreeing === known.length,
    text: `Little's law holds on ${agreeing} of ${known.length} levels`,
  };
}

function stolenCheck(report: ReportJson): TrustCheck {
  const stolen = report.machine.stolen_ratio;
  if (!isKnown(stolen)) return { holds: null, text: "CPU taken by the hypervisor: unknown" };
  return {
    holds: stolen <= STOLEN_MAX,
    text: `${coarseShareText(stolen)} of the CPU taken by the hypervisor`,
  };
}

function evidenceCheck(report: ReportJson): TrustCheck {
  const unknown = report.suspects.filter((suspect) => suspect.verdict === "unknown").length;
  const of = report.suspects.length === 0 ? SUSPECT_IDS.length : report.suspects.length;
  const text = `${countText(of - (report.suspects.length === 0 ? of : unknown))} of ${of} suspects could be checked`;
  const sources = report.missing.length;
  if (sources === 0 && unknown === 0 && report.suspects.length > 0) return { holds: true, text };
  return {
    holds: null,
    text: sources === 0 ? text : `${text}; ${sources} ${sources === 1 ? "source is" : "sources are"} missing`,
  };
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter(isKnown);
  return known.length === 0 ? null : known.reduce((most, value) => Math.max(most, value));
}

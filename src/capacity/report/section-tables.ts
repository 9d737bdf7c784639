// The tables of the report that are not levels: the origin's tests beside ours, phases, sweeps, the latency budget, the
// verification, and the three points that the capacity names.

import { countText, gainText, isKnown, msText, partText, plainLine, rateText, shareText } from "./figures.ts";
import { levelMarks, levelTitle } from "./level-table.ts";
import type { LevelJson, PointJson, ReportJson, SweepJson } from "./report-json.ts";
import { cell, numberColumn, type Table, textColumn } from "./report-table.ts";

export function originTable(report: ReportJson): Table {
  return {
    columns: [
      textColumn("test"),
      numberColumn("clients"),
      numberColumn("requests each", 3),
      numberColumn("success, origin"),
      numberColumn("success, here"),
      numberColumn("req/s, origin"),
      numberColumn("req/s, here"),
      numberColumn("mean ms, origin"),
      numberColumn("mean ms, here"),
      numberColumn("p99 ms, here", 2),
    ],
    rows: report.origin.map((row) => [
      cell(plainLine(row.test)),
      cell(countText(row.clients)),
      cell(countText(row.requests_each)),
      cell(shareText(row.origin.success), "quiet"),
      cell(shareText(row.measured?.success), "strong"),
      cell(rateText(row.origin.rate), "quiet"),
      cell(rateText(row.measured?.rate), "strong"),
      cell(msText(row.origin.latency_ms), "quiet"),
      cell(msText(row.measured?.latency_ms), "strong"),
      cell(msText(row.measured?.p99_ms)),
    ]),
  };
}

export function phaseTable(report: ReportJson): Table {
  return {
    columns: [
      textColumn("phase"),
      textColumn("architecture", 2),
      textColumn("flags", 3),
      numberColumn("req/s, origin"),
      numberColumn("req/s, here"),
      numberColumn("success at 100, origin", 1),
      numberColumn("success at 100, here"),
      numberColumn("p99 ms, here", 1),
      textColumn("limit"),
    ],
    rows: report.phases.map((row) => [
      cell(plainLine(row.phase), "strong"),
      cell(plainLine(row.architecture)),
      cell(row.flags.length === 0 ? "defaults" : row.flags.map(plainLine).join(" "), "quiet"),
      cell(row.origin === null ? "not there" : rateText(row.origin.rate), "quiet"),
      cell(rateText(row.rate), "strong"),
      cell(row.origin === null ? "not there" : shareText(row.origin.success_100), "quiet"),
      cell(shareText(row.success_100)),
      cell(msText(row.p99_ms)),
      cell(row.limit === null ? "unknown" : plainLine(row.limit)),
    ]),
  };
}

export function sweepTable(sweep: SweepJson): Table {
  return {
    columns: [
      textColumn(plainLine(sweep.setting)),
      numberColumn("rate req/s"),
      numberColumn("gain"),
      numberColumn("success", 1),
      numberColumn("p99 ms"),
      textColumn("remark", 2),
    ],
    rows: sweep.rows.map((row) => [
      cell(plainLine(row.value), "strong"),
      cell(rateText(row.rate)),
      cell(gainText(row.gain)),
      cell(shareText(row.success)),
      cell(msText(row.p99_ms)),
      cell(row.error === null ? "" : plainLine(row.error), "bad"),
    ]),
  };
}

export function budgetTable(report: ReportJson): Table {
  const total = report.budget.reduce((sum, row) => sum + (isKnown(row.ms) ? row.ms : 0), 0);
  const originTotal = report.budget.reduce((sum, row) => sum + (row.origin_ms ?? 0), 0);
  return {
    columns: [
      textColumn("stage"),
      numberColumn("mean ms"),
      numberColumn("share"),
      numberColumn("origin's estimate, ms", 1),
    ],
    rows: [
      ...report.budget.map((row) => [
        cell(plainLine(row.stage)),
        cell(msText(row.ms)),
        cell(partText(row.ms, total)),
        cell(row.origin_ms === null ? "not named" : msText(row.origin_ms), "quiet"),
      ]),
      [
        cell("all stages", "strong"),
        cell(msText(total), "strong"),
        cell("100 %", "strong"),
        cell(msText(originTotal), "quiet"),
      ],
    ],
  };
}

export function verificationTable(report: ReportJson): Table {
  return {
    columns: [
      textColumn("suspect"),
      textColumn("fix tried"),
      numberColumn("req/s before", 1),
      numberColumn("req/s after", 1),
      numberColumn("gain predicted"),
      numberColumn("gain measured"),
      textColumn("conclusion", 2),
      textColumn("next limit", 3),
    ],
    rows: report.verification.map((row) => [
      cell(row.suspect),
      cell(plainLine(row.remedy)),
      cell(rateText(row.rate_before)),
      cell(rateText(row.rate_after)),
      cell(gainText(row.predicted)),
      cell(gainText(row.measured), "strong"),
      cell(plainLine(row.conclusion)),
      cell(row.next_suspect ?? "unknown"),
    ]),
  };
}

/** Load, rate, latency and success in one view, as the origin set it: a level a row, with what it is called. */
export function loadTable(report: ReportJson, levels: readonly LevelJson[]): Table {
  return {
    columns: [
      textColumn("load"),
      numberColumn("req/s"),
      numberColumn("p50 ms"),
      numberColumn("p99 ms"),
      numberColumn("p50 uncorrected"),
      numberColumn("p99 uncorrected"),
      numberColumn("success"),
      textColumn(""),
    ],
    rows: levels.map((level) => [
      cell(levelTitle(level)),
      cell(rateText(level.rate)),
      cell(msText(level.latency_ms.p50)),
      cell(msText(level.latency_ms.p99)),
      cell(msText(level.latency_uncorrected_ms.p50), "quiet"),
      cell(msText(level.latency_uncorrected_ms.p99), "quiet"),
      cell(shareText(level.success)),
      cell(level.void === null ? levelMarks(report, level).join(", ") : "void", "strong"),
    ]),
  };
}

export interface NamedPoint {
  readonly name: string;
  readonly meaning: string;
  readonly point: PointJson | null;
}

/** The three levels by which a capacity is read. */
export function namedPoints(report: ReportJson): NamedPoint[] {
  const { sweet_spot, knee, breaking_point } = report.capacity;
  return [
    { name: "sweet spot", meaning: "most throughput for its latency", point: sweet_spot },
    { name: "knee", meaning: "from here more clients bring no more rate", point: knee },
    { name: "breaking point", meaning: "the first level that misses the objective", point: breaking_point },
  ];
}

export function pointTable(report: ReportJson): Table {
  return {
    columns: [
      textColumn("point"),
      numberColumn("clients"),
      numberColumn("rate req/s"),
      numberColumn("success"),
      numberColumn("mean ms", 1),
      numberColumn("p99 ms"),
      textColumn("meaning", 2),
    ],
    rows: namedPoints(report).map(({ name, meaning, point }) => [
      cell(name, "strong"),
      cell(countText(point?.clients)),
      cell(rateText(point?.rate)),
      cell(shareText(point?.success)),
      cell(msText(point?.latency_ms)),
      cell(msText(point?.p99_ms)),
      cell(meaning, "quiet"),
    ]),
  };
}

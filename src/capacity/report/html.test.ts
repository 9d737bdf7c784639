import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import {
  emptyReport,
  fullReport,
  hostileReport,
  minimalReport,
  voidReport,
} from "../../../test/report/sample-report.ts";
import { toHtml } from "./html.ts";
import type { ReportJson } from "./report-json.ts";

const REPORTS: Readonly<Record<string, ReportJson>> = {
  full: fullReport(),
  minimal: minimalReport(),
  empty: emptyReport(),
  void: voidReport(),
  hostile: hostileReport(),
};
const PAGES = Object.entries(REPORTS).map(([name, report]) => ({ name, page: toHtml(report) }));

/** Largest page of a usual run, and of one whose levels ran for an hour each. */
const USUAL_BYTES_MAX = 700_000;
const LONG_BYTES_MAX = 5_000_000;

/** What stands between the tags, without the style, the script and the pointer's texts. */
function textOf(page: string): string {
  return page.replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, "").replace(/<[^>]*>/g, " ");
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

describe("the report page", () => {
  test("allows its own style and script by their hashes, and nothing else at all", () => {
    for (const { name, page } of PAGES) {
      const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll("&#39;", "'");
      const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
      const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]!);
      assert.equal(scripts.length, 1, name);
      assert.equal(
        policy,
        `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(scripts[0]!)}; base-uri 'none'; form-action 'none'`,
      );
    }
  });

  test("refers to nothing outside of itself", () => {
    for (const { name, page } of PAGES) {
      const tags = page.replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, "").match(/<[a-z][^>]*>/g)!;
      for (const tag of tags) {
        assert.doesNotMatch(tag, /\s(src|srcset|style|on\w+|action|data)=/, `${name}: ${tag}`);
        assert.doesNotMatch(tag, /\shref="(?!#)/, `${name}: ${tag}`);
      }
      assert.doesNotMatch(page, /@import|url\(|<(img|iframe|object|embed|link|base|form)\b/i, name);
    }
  });

  test("what is not known is unknown: no text and no drawing has a number that is none", () => {
    for (const { name, page } of PAGES) {
      assert.doesNotMatch(page.replace(/<script>[\s\S]*?<\/script>/, ""), /NaN|undefined|Infinity/, name);
      if (name !== "hostile") assert.doesNotMatch(textOf(page), /\bnull\b|\[object/, name);
    }
    assert.match(textOf(toHtml(minimalReport())), /unknown\s+req\/s/);
  });

  test("every id is there once", () => {
    for (const { name, page } of PAGES) {
      const ids = [...page.matchAll(/<[a-z][^>]*?\sid="([^"]*)"/g)].map((match) => match[1]!);
      assert.equal(new Set(ids).size, ids.length, name);
    }
  });

  test("every line and point lies inside the plot it belongs to, in both drawings, shown or not", () => {
    for (const { name, page } of PAGES.filter(({ name }) => name !== "minimal" && name !== "empty")) {
      const drawings = [
        ...page.matchAll(/<svg viewBox="[^"]*" class="(?:wide|narrow|only)"[\s\S]*?<\/svg>/g),
      ];
      assert.ok(drawings.length > 40, `${name}: ${drawings.length}`);
      for (const [drawing] of drawings) {
        const [left, top, right, bottom] = /data-plot="([^"]*)"/
          .exec(drawing)![1]!
          .split(" ")
          .map(Number) as [number, number, number, number];
        const lines = [...drawing.matchAll(/<path d="([^"]*)" class="(?:line|band)[^"]*"/g)].map(
          (match) => match[1]!,
        );
        assert.ok(lines.length > 0, drawing.slice(0, 300));
        const spots = lines.flatMap((path) => [...path.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)]);
        const dots = [...drawing.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)];
        for (const [, x, y] of [...spots, ...dots]) {
          assert.ok(
            Number(x) >= left - 0.1 && Number(x) <= right + 0.1,
            `${name}: x ${x} of ${left}–${right}`,
          );
          assert.ok(
            Number(y) >= top - 0.1 && Number(y) <= bottom + 0.1,
            `${name}: y ${y} of ${top}–${bottom}`,
          );
        }
      }
    }
  });

  test("is the same for the same report", () => {
    assert.equal(toHtml(fullReport()), toHtml(fullReport()));
  });

  test("stays small, however long the levels ran", () => {
    assert.ok(toHtml(fullReport()).length <= USUAL_BYTES_MAX);
    const full = fullReport();
    const levels = full.levels.map((level) => ({
      ...level,
      seconds: 3600,
      stalls: Array.from({ length: 200 }, (_, index) => ({ at_ms: index * 1000, lasted_ms: 60 })),
      evidence: Array.from({ length: 14_400 }, (_, index) => ({
        ...level.evidence[index % 13]!,
        at_ms: index * 250,
      })),
    }));
    assert.ok(toHtml({ ...full, levels }).length <= LONG_BYTES_MAX);
  });
});

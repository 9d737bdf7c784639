import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  emptyReport,
  fullReport,
  hostileReport,
  minimalReport,
  voidReport,
} from "../../../test/report/sample-report.ts";
import { toMarkdown } from "./markdown.ts";

/** Without code blocks and code spans, in which marks are only letters. */
function prose(markdown: string): string {
  return markdown
    .replace(/^ *(`{3,})\n[\s\S]*?\n *\1$/gm, "")
    .replace(/(?<!\\|`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
}

describe("the report in Markdown", () => {
  test("has the sections of the page that the product started from, in their order", () => {
    const headings = [...toMarkdown(fullReport()).matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    assert.deepEqual(headings, [
      "Results",
      "Key findings",
      "What limits it",
      "Predicted and measured",
      "Phase by phase",
      "Sweep of threads",
      "Sweep of ack",
      "Latency against load",
      "Latency budget",
      "The origin's tests beside ours",
      "Conclusion",
      "Next step",
      "What could not be seen",
      "How it was measured",
    ]);
  });

  test("every row of a table has as many cells as its head, whatever the texts hold", () => {
    for (const report of [fullReport(), minimalReport(), voidReport(), hostileReport()]) {
      let columns = 0;
      for (const line of prose(toMarkdown(report)).split("\n")) {
        const cells = line.startsWith("| ") ? line.split(/(?<!\\)\|/).length : 0;
        if (cells === 0) columns = 0;
        else if (columns === 0) columns = cells;
        else assert.equal(cells, columns, line);
      }
    }
  });

  test("texts from outside are neither markup nor headings nor links", () => {
    const text = prose(toMarkdown(hostileReport()));
    assert.doesNotMatch(text, /<[a-z/!?]/i);
    assert.doesNotMatch(text, /(?<!\\)\]\(/);
    assert.doesNotMatch(text, /^#+ heading/m);
    assert.doesNotMatch(text, /^```/m);
    const headings = (report: string) => report.match(/^#+ /gm)!.length;
    assert.equal(headings(text), headings(prose(toMarkdown(fullReport()))));
  });

  test("what is not known is unknown, and nothing is null", () => {
    for (const report of [minimalReport(), emptyReport()]) {
      const text = toMarkdown(report);
      assert.doesNotMatch(text, /NaN|undefined|null|Infinity|\[object/);
      assert.match(text, /\*\*How much:\*\* unknown req\/s \(interval unknown\)/);
    }
  });

  test("a void run is void before anything else is said", () => {
    const text = toMarkdown(voidReport());
    assert.ok(text.indexOf("> **VOID: this run proves nothing.**") < text.indexOf("**How much:**"));
    assert.doesNotMatch(toMarkdown(fullReport()), /VOID/);
  });

  test("is the same for the same report", () => {
    assert.equal(toMarkdown(fullReport()), toMarkdown(fullReport()));
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  emptyReport,
  fullReport,
  hostileReport,
  minimalReport,
  voidReport,
} from "../../../test/report/sample-report.ts";
import { toTerminalText } from "./terminal.ts";
import { wrap } from "./terminal-table.ts";

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");

describe("the report on a terminal", () => {
  test("no line is wider than the terminal", () => {
    for (const report of [fullReport(), minimalReport(), voidReport()])
      for (const width of [80, 100, 132, 200])
        for (const line of toTerminalText(report, { width, color: false }).split("\n"))
          assert.ok([...line].length <= width, `${width}: ${line}`);
  });

  test("a narrow terminal loses the lesser columns, and never rate, success, p99 and objective", () => {
    const headOf = (width: number) =>
      toTerminalText(fullReport(), { width, color: false }).split("Each client")[0]!;
    for (const width of [60, 80, 200])
      for (const name of ["clients", "rate req/s", "success", "p99 ms", "objective"])
        assert.ok(headOf(width).includes(name), `${width}: ${name}`);
    for (const name of ["uncorrected", "max ms", "busiest", "errors"])
      assert.ok(headOf(200).includes(name), name);
    assert.doesNotMatch(headOf(80), /errors|uncorrected/);
  });

  test("colour changes nothing but colour", () => {
    const plain = toTerminalText(fullReport(), { width: 120, color: false });
    const colored = toTerminalText(fullReport(), { width: 120, color: true });
    assert.doesNotMatch(plain, ESCAPES);
    assert.match(colored, ESCAPES);
    assert.equal(colored.replace(ESCAPES, ""), plain);
  });

  test("a server's name or a setting cannot steer the terminal", () => {
    const text = toTerminalText(hostileReport(), { width: 120, color: true }).replace(ESCAPES, "");
    for (const letter of text) {
      const code = letter.codePointAt(0)!;
      assert.ok(code === 10 || (code >= 32 && code !== 127 && code !== 0x202e), `U+${code.toString(16)}`);
    }
  });

  test("what is not known is unknown, and nothing is null", () => {
    for (const report of [minimalReport(), emptyReport()]) {
      const text = toTerminalText(report, { width: 120, color: false });
      assert.doesNotMatch(text, /NaN|undefined|null|Infinity|\[object/);
      assert.match(text, /how much +unknown req\/s \(interval unknown\)/);
    }
  });

  test("the likely suspects are shown with figures, check, fix and gain; the others are named", () => {
    const text = toTerminalText(fullReport(), { width: 160, color: false });
    assert.match(text, / 1\. one saturated thread \(one-thread\): confirmed\n +for +thread ingest-0/);
    assert.match(text, /check +top -H -p 20117/);
    assert.match(text, /gain +predicted ×1\.70, about 35,800 req\/s; measured ×1\.66/);
    assert.match(text, /unknown: cpu-quota\n/);
    assert.match(text, /ruled out: descriptors, pool/);
  });

  test("a void run says so first and last", () => {
    const lines = toTerminalText(voidReport(), { width: 100, color: false }).trimEnd().split("\n");
    assert.match(lines[0]!, /^VOID: this run proves nothing/);
    assert.match(lines.slice(-5).join("\n"), /trust it +not at all: the run is void/);
  });

  test("a figure stays with its unit where a line is broken", () => {
    assert.deepEqual(wrap("missed: success 50.6 % < 99 %, p99 65 ms > 50 ms", 24), [
      "missed: success 50.6 %",
      "< 99 %, p99 65 ms",
      "> 50 ms",
    ]);
  });
});

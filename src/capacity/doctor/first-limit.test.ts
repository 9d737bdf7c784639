import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type BoundKind, finding } from "./finding.ts";
import { clientsFit, describeFirst, firstLimits } from "./first-limit.ts";
import { formatAbout, formatBytes, formatCount, formatMs, formatPercent, formatSpan } from "./quantity.ts";

const bounded = (id: string, kind: BoundKind, amount: number) =>
  finding(id, "ok", "", "", { bounds: [{ kind, amount }] });

const FINDINGS = [
  bounded("descriptors", "connections", 19_888),
  bounded("memory", "connections", 3_000_000),
  bounded("client ports", "connections-from-one-host", 28_232),
  bounded("client ports", "connects-per-second", 470.5),
  bounded("conntrack", "connects-per-second", 2_184),
];

describe("what limits first", () => {
  test("is the smallest bound of each kind, and who sets it", () => {
    assert.deepEqual(firstLimits(FINDINGS), [
      { kind: "connections", amount: 19_888, by: "descriptors" },
      { kind: "connections-from-one-host", amount: 28_232, by: "client ports" },
      { kind: "connects-per-second", amount: 470.5, by: "client ports" },
    ]);
  });

  test("is nothing where nothing is known, or nothing bounds", () => {
    assert.deepEqual(firstLimits([bounded("descriptors", "connections", Number.POSITIVE_INFINITY)]), []);
    assert.equal(describeFirst([], { clients: 5 }), "connections: not known");
    assert.equal(clientsFit([], { clients: 5 }), null);
  });

  test("is said in one sentence", () => {
    assert.equal(
      describeFirst(firstLimits(FINDINGS), { clients: null }),
      "descriptors (19,888 open connections); without keep-alive client ports (470 new ones a second)",
    );
  });

  test("says whether the clients fit, and whether they do from this machine", () => {
    const limits = firstLimits(FINDINGS);
    assert.equal(clientsFit(limits, { clients: 19_888 }), true);
    assert.match(describeFirst(limits, { clients: 19_888 }), /; 19,888 clients fit$/);
    assert.equal(clientsFit(limits, { clients: 19_889 }), false);
    assert.match(describeFirst(limits, { clients: 19_889 }), /; 19,889 clients do not fit$/);
    const here = firstLimits([
      bounded("descriptors", "connections", 50_000),
      bounded("client ports", "connections-from-one-host", 28_232),
    ]);
    assert.match(
      describeFirst(here, { clients: 40_000 }),
      /fit, but not all from this machine \(client ports: 28,232\)$/,
    );
    assert.equal(clientsFit(limits, { clients: null }), null);
  });
});

describe("quantities", () => {
  test("that were counted are exact, and that were measured have two digits", () => {
    assert.deepEqual([0, 999, 1_000, 1_048_576].map(formatCount), ["0", "999", "1,000", "1,048,576"]);
    assert.deepEqual([1.66, 9, 470.5, 1_949, 96_400, 999_999, 1_849_000, 12.4e6].map(formatAbout), [
      "1.7",
      "9",
      "470",
      "1,900",
      "96,000",
      "1 million",
      "1.8 million",
      "12 million",
    ]);
  });

  test("of bytes and time have the unit that keeps them short", () => {
    assert.deepEqual([12, 1024, 1.5 * 1024 ** 2, 72.9 * 1024 ** 3].map(formatBytes), [
      "12 B",
      "1 KiB",
      "1.5 MiB",
      "72.9 GiB",
    ]);
    assert.deepEqual([0, 0.0091, 0.0999999, 0.372, 1].map(formatPercent), [
      "0 %",
      "0.91 %",
      "10 %",
      "37 %",
      "100 %",
    ]);
    assert.deepEqual([0.0421, 4.21, 42.1, 421.4].map(formatMs), ["0.042 ms", "4.2 ms", "42 ms", "421 ms"]);
    assert.deepEqual([30, 90, 64_800, 200_000, 4e8].map(formatSpan), [
      "30 s",
      "1.5 min",
      "18 h",
      "2.3 days",
      "13 years",
    ]);
  });
});

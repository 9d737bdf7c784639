import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PAGE, reliabilityPage } from "./page.ts";
import { PROMISES, type ReliabilityRun, readRuns } from "./record.ts";

const RUN: ReliabilityRun = {
  run: "crash",
  runtime: "Node 24",
  date: "2026-01-01",
  command: "npm run attack -- crash",
  seconds: 1000,
  machine: {
    processor: "P",
    cores: 2,
    memoryBytes: 0,
    kernel: "6",
    pinning: null,
    versions: {},
    commit: "abc",
  },
  rows: [
    {
      promise: "written",
      fault: "SIGKILL",
      injected: "kill(2) | a pipe",
      times: 1000,
      lost: "0 of 5",
      measured: "0",
      asked: "0",
      holds: false,
    },
  ],
};

test("the page is what the recorded runs make of it", () => {
  assert.equal(readFileSync(PAGE, "utf8"), reliabilityPage(readRuns()));
});

test("a row stands under its promise, and says so where it does not hold", () => {
  const page = reliabilityPage([RUN]);
  assert.ok(page.includes(PROMISES.written.slice(1)));
  assert.ok(
    page.includes("| SIGKILL | kill(2) \\| a pipe | Node 24 | 1,000 | 0 of 5 | 0 | 0 | **does not hold** |"),
  );
});

test("a promise that no run has attacked has no section", () => {
  assert.ok(!reliabilityPage([RUN]).includes(PROMISES.soak.slice(1)));
});

// The capacity command as a user runs it: a process, its files, its words and its exit code. Levels are as short as they
// can be: what is checked is what is said, never how fast anything was.
// ALONE: a generator short of processor time says that its figures are void.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SUSPECT_IDS } from "../../src/capacity/diagnosis/suspect.ts";
import type { ReportJson } from "../../src/capacity/report/report-json.ts";
import { compileCache, IS_BUN } from "../support/server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "tidemark-capacity-test-"));
const children = new Set<ChildProcess>();

after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  error: string;
  /** Where the reports are. */
  folder: string;
}

let runs = 0;

function start(words: readonly string[]): { child: ChildProcess; folder: string; ended: Promise<Ended> } {
  const folder = join(scratch, `run-${runs++}`);
  const split = words.indexOf("--");
  const own = split < 0 ? words : words.slice(0, split);
  const behind = split < 0 ? [] : words.slice(split);
  const child = spawn(process.execPath, [MAIN, "capacity", "--out", folder, ...own, ...behind], {
    env: { PATH: process.env.PATH ?? "", ...compileCache() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let out = "";
  let error = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (error += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => {
      children.delete(child);
      resolve({ code, out, error, folder });
    });
  });
  return { child, folder, ended };
}

const run = (...words: string[]): Promise<Ended> => start(words).ended;
const reportOf = ({ folder }: Ended): ReportJson =>
  JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
const SHORT = ["--level-time", "200ms"];

describe("a capacity run of a server of its own", () => {
  let ended: Ended;
  let report: ReportJson;
  before(async () => {
    ended = await run(
      "--ladder",
      "2,4",
      ...SHORT,
      "--objective",
      "success>=1%",
      "--json",
      "--",
      "--threads",
      "1",
    );
    report = reportOf(ended);
  });

  test("exits 0, prints its report as JSON, and writes it as three files", () => {
    assert.equal(ended.code, 0, ended.error);
    assert.deepEqual(JSON.parse(ended.out), report);
    assert.match(readFileSync(join(ended.folder, "report.html"), "utf8"), /^<!doctype html>/i);
    assert.match(readFileSync(join(ended.folder, "report.md"), "utf8"), /^# /);
  });

  test("has the levels that were asked for, each with what scripts read", () => {
    const ids = report.levels.map(({ id }) => id);
    for (const id of ["paced-2", "paced-4", "unpaced-1", "unpaced-2", "unpaced-4"])
      assert.ok(ids.includes(id), id);
    for (const level of report.levels) {
      assert.ok(level.requests > 0 && level.rate > 0, level.id);
      assert.equal(level.success, 1);
      for (const key of ["mean", "p50", "p90", "p99", "p999", "max"] as const) {
        assert.equal(typeof level.latency_ms[key], "number");
        assert.equal(typeof level.latency_uncorrected_ms[key], "number");
      }
      assert.ok(level.evidence.length > 0);
    }
  });

  test("has every suspect once, in an order, with its check and its fix", () => {
    assert.deepEqual(report.suspects.map(({ id }) => id).sort(), [...SUSPECT_IDS].sort());
    const order = ["confirmed", "possible", "unknown", "ruled-out"];
    const ranks = report.suspects.map(({ verdict }) => order.indexOf(verdict));
    assert.deepEqual(ranks, [...ranks].sort());
    for (const { check, fix, gain } of report.suspects) {
      assert.ok(check !== "" && fix !== "");
      assert.ok("predicted" in gain && "measured" in gain);
    }
  });

  test("says what was measured, and that no search was made", () => {
    assert.equal(report.target.is_own, true);
    assert.equal(report.target.is_tidemark, true);
    assert.equal(report.capacity.objective, "success>=1%");
    assert.equal(report.capacity.is_at_least, true);
    assert.ok(report.capacity.rate! > 0);
    assert.match(report.command, /^tidemark capacity .*--ladder 2,4/);
  });

  test("its server is gone, and its folder with it", () => {
    const { pid, settings } = report.target;
    assert.throws(() => process.kill(pid!, 0));
    assert.equal(existsSync(String(settings!.dataDirectory)), false);
  });
});

describe("a capacity run of somebody else's server", () => {
  let server: Server;
  let url = "";
  const seen = new Set<string>();
  before(async () => {
    server = createServer((request, response) => {
      seen.add(`${request.method} ${request.url} ${request.headers["x-key"] ?? ""}`);
      response.end("ok");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  test("sends GET to the address that was given, and the headers", async () => {
    const ended = await run("--target", `${url}/page`, "--header", "X-Key: k", "--ladder", "2", ...SHORT);
    const report = reportOf(ended);
    assert.equal(report.target.is_own, false);
    assert.equal(report.target.is_tidemark, false);
    assert.ok(seen.has("GET /page k"), [...seen].join("\n"));
    assert.match(ended.out, /report\.html, report\.md and report\.json are in/);
    assert.match(ended.error, /paced-2/);
  });

  test("an objective that no level holds is exit code 1", async () => {
    const ended = await run("--target", url, "--ladder", "1", ...SHORT, "--objective", "p99<=0.0001ms");
    assert.equal(ended.code, 1, ended.error);
    assert.equal(reportOf(ended).capacity.rate, null);
  });

  test("Ctrl-C ends the run early, and what was measured is reported", async () => {
    const { child, ended } = start(["--target", url, "--ladder", "1,2,4", "--level-time", "60s"]);
    let error = "";
    let wasAsked = false;
    child.stderr!.on("data", (text: string) => {
      error += text;
      if (wasAsked || !error.includes("the ladder")) return;
      wasAsked = true;
      child.kill("SIGINT");
    });
    const { folder } = await ended;
    assert.ok(existsSync(join(folder, "report.json")));
  });
});

describe("what a capacity run is refused", () => {
  const cases: readonly (readonly [name: string, words: readonly string[], told: RegExp])[] = [
    ["an objective that cannot be read", ["--objective", "p98<=1ms"], /--objective|objective/],
    ["a ladder that cannot be read", ["--ladder", "20,x"], /--ladder/],
    ["a remedy on a server that is not ours", ["--target", "http://127.0.0.1:1/", "--verify"], /--verify/],
    ["a flag of serve that it does not know", ["--ladder", "1", "--", "--threads", "none"], /--threads/],
    ["a flag that is none", ["--speed", "9"], /--speed/],
  ];
  for (const [name, words, told] of cases) {
    test(`${name}, in one line and with an exit code of its own`, async () => {
      const { code, error, out } = await run(...words);
      assert.ok(code === 2 || code === 1, `${code}`);
      assert.match(error, told);
      assert.doesNotMatch(error, /\n\s+at /);
      assert.equal(out, "");
    });
  }

  test("a target that nobody listens on, before anything is measured", async () => {
    const { code, error } = await run("--target", "http://127.0.0.1:1/");
    assert.notEqual(code, 0);
    assert.match(error, /^cannot .*127\.0\.0\.1:1/m);
  });

  test("a folder that cannot be written, before anything is measured", async () => {
    const file = join(scratch, "a-file");
    writeFileSync(file, "");
    const { code, error } = await run("--out", join(file, "below"), "--ladder", "1");
    assert.equal(code, 2);
    assert.match(error, /--out/);
  });
});

// Each of these starts many servers, and the whole test command has ten minutes: each has its turn on one runtime.
const onNode = IS_BUN ? () => {} : test;
const onBun = IS_BUN ? test : () => {};

describe("proof by trying", () => {
  onNode("the remedy for a rate limit is tried, and its gain stands beside the predicted one", async () => {
    const ended = await run(
      "--ladder",
      "4",
      ...SHORT,
      "--verify",
      "--",
      "--threads",
      "1",
      "--rate-limit",
      "50",
    );
    const report = reportOf(ended);
    assert.equal(report.suspects[0]!.id, "rate-limit");
    assert.equal(report.suspects[0]!.verdict, "confirmed");
    const row = report.verification.find(({ suspect }) => suspect === "rate-limit")!;
    assert.match(row.remedy, /--rate-limit/);
    assert.ok(row.measured! > 2, `${row.measured}`);
    assert.equal(report.suspects[0]!.gain.measured, row.measured);
  });

  onNode("a sweep has a row for each value, a bad one told in its row", async () => {
    const ended = await run(
      "--ladder",
      "1",
      ...SHORT,
      "--sweep",
      "threads=1,2",
      "--sweep",
      "ack=written,nonsense",
    );
    const { sweeps } = reportOf(ended);
    assert.deepEqual(
      sweeps.map(({ setting, rows }) => [setting, rows.map(({ value, rate }) => [value, rate !== null])]),
      [
        [
          "threads",
          [
            ["1", true],
            ["2", true],
          ],
        ],
        [
          "ack",
          [
            ["written", true],
            ["nonsense", false],
          ],
        ],
      ],
    );
    assert.match(sweeps[1]!.rows[1]!.error!, /--ack/);
  });

  onBun("the phases are measured as the architectures that they were", async () => {
    const ended = await run("--ladder", "1", ...SHORT, "--compare-phases");
    const { phases } = reportOf(ended);
    assert.deepEqual(
      phases.map(({ phase }) => phase),
      ["Phase 1–3", "Phase 6", "Phase 7", "Today"],
    );
    for (const { rate, success_100: success } of phases) assert.ok(rate! > 0 && success !== null);
    assert.deepEqual(phases[0]!.flags.slice(0, 2), ["--threads", "1"]);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Circumstances, type Examination, examine, exitCodeOf, type Trials } from "./doctor.ts";
import { examinationJson } from "./doctor-json.ts";
import { formatExamination, wrap } from "./doctor-text.ts";
import type { Machine } from "./machine.ts";
import { BARE, limitsText, linux, macos } from "./machine-bed.ts";

const TRIALS: Trials = {
  folder: {
    asked: "./data",
    path: "/home",
    exists: false,
    fault: null,
    space: { freeBytes: 4e12, totalBytes: 8e12, freeInodes: 1e8, totalInodes: 1e8 },
  },
  disk: {
    sync: { syncs: 200, msP50: 0.5, msP99: 1, msMax: 2 },
    write: { bytes: 64 * 1024 ** 2, ms: 500 },
    fault: null,
  },
  clock: { costNs: 60, stepNs: 30 },
  wallMs: Date.UTC(2026, 5, 1),
  stat: [null, null],
  port: "free",
};
const HERE: Circumstances = {
  runtime: { name: "Bun", version: "1.4.5" },
  kernelRelease: "6.18.44",
  cores: 2,
};
const LOW = linux({ "/proc/self/limits": limitsText(256, 256) });

function look(machine: Machine, clients: number | null = null): Examination {
  return examine(machine, { dataFolder: "./data", clients }, HERE, TRIALS);
}

describe("the doctor's round", () => {
  test("asks every check once, on Linux, on macOS and where nothing answers", () => {
    for (const machine of [linux(), macos(), BARE]) {
      const ids = look(machine).findings.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const id of [
        "descriptors",
        "listen queue",
        "client ports",
        "sync speed",
        "free space",
        "clock",
        "cores",
      ])
        assert.ok(ids.includes(id), id);
    }
  });

  test("exits 1 only where something is bad", () => {
    assert.equal(exitCodeOf(look(linux())), 0);
    const warned = look(LOW);
    assert.ok(warned.findings.some(({ verdict }) => verdict === "warn"));
    assert.equal(exitCodeOf(warned), 0);
    assert.equal(exitCodeOf(look(LOW, 1_000)), 1);
    assert.equal(exitCodeOf(look(BARE)), 0);
  });

  test("takes nothing unknown for a limit", () => {
    const { findings, limits } = look(BARE);
    assert.ok(findings.filter(({ verdict }) => verdict === "unknown").length >= 6);
    assert.deepEqual(
      limits.map(({ by }) => by),
      ["sync speed", "write speed"],
    );
  });
});

describe("the answer for a person", () => {
  test("keeps to 80 columns, but for commands that are there to be copied", () => {
    for (const machine of [linux(), LOW, macos(), BARE]) {
      for (const line of formatExamination(look(machine, 30_000), "tidemark", false).split("\n"))
        assert.ok(line.length <= 80 || line.startsWith("    "), line);
    }
  });

  test("shows the command of this system first, then the other's", () => {
    const text = formatExamination(look(LOW), "tidemark", false);
    assert.match(
      text,
      /now: {8}sudo prlimit --pid \$\$ --nofile=16384:16384\n[\s\S]*on macOS: {3}ulimit -n 16384\n/,
    );
    const mac = formatExamination(look(macos()), "tidemark", false);
    assert.match(
      mac,
      /now: {8}sudo sysctl kern.ipc.somaxconn=4096\n {9}on Linux: {3}sudo sysctl net.core.somaxconn=4096\n/,
    );
  });

  test("ends with what limits first", () => {
    assert.match(
      formatExamination(look(LOW), "tidemark", false),
      /\nwhat limits first: descriptors \(144 open [\s\S]+\n$/,
    );
  });

  test("says what is not known, and why", () => {
    assert.match(
      formatExamination(look(BARE), "tidemark", false),
      /\nunknown {2}listen queue {4}not known: net.core.somaxconn cannot be read\n/,
    );
  });

  test("has colours only where they are asked for", () => {
    assert.ok(!formatExamination(look(LOW), "tidemark", false).includes("\x1b"));
    assert.ok(formatExamination(look(LOW), "tidemark", true).includes("\x1b[33mwarn     \x1b[0mdescriptors"));
  });

  test("breaks lines between words only", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("unbreakable", 3), ["unbreakable"]);
  });
});

describe("the answer for a program", () => {
  test("holds the commands of both systems, and figures that are numbers or null", () => {
    const json = JSON.parse(JSON.stringify(examinationJson(look(LOW, 1_000), "0.1.0")));
    assert.equal(json.exit_code, 1);
    assert.equal(json.clients_fit, false);
    assert.deepEqual(json.limits[0], {
      kind: "connections",
      name: "open connections",
      amount: 144,
      by: "descriptors",
    });
    const descriptors = json.findings[0];
    assert.equal(descriptors.id, "descriptors");
    assert.equal(descriptors.verdict, "bad");
    assert.deepEqual(descriptors.figures, { soft: 256, hard: 256, usable: 256, shell_soft: 1024 });
    assert.ok(descriptors.mend.linux.length > 0 && descriptors.mend.macos.length > 0);
    for (const { id } of json.findings) assert.match(id, /^[a-z0-9-]+$/);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as admission from "../../admission/connection-cap.ts";
import {
  checkDescriptors,
  checkSystemFiles,
  DESCRIPTORS_PER_THREAD,
  DESCRIPTORS_PROCESS,
  parseLaunchctl,
  parseUlimit,
} from "./check-descriptors.ts";
import { BARE, commandsOf, limitsText, linux, macos, statText } from "./machine-bed.ts";

const ANY = { clients: null };

describe("descriptors", () => {
  test("are counted as the runtime raised them, less what the server keeps for itself", () => {
    const finding = checkDescriptors(linux(), ANY, 2);
    assert.equal(finding.verdict, "ok");
    assert.match(finding.found, /^20,000 for a server started here; hard 20,000, the shell's soft 1,024$/);
    assert.match(finding.means, /about 19,888 connections/);
    assert.deepEqual(finding.bounds, [{ kind: "connections", amount: 19_888 }]);
    assert.equal(
      finding.bounds[0]!.amount,
      admission.connectionsMaxFrom(20_000, 2, admission.CONNECTIONS_AUTO),
    );
  });

  test("that the server keeps back are those of its own admission", () => {
    assert.equal(DESCRIPTORS_PROCESS, admission.DESCRIPTORS_PROCESS);
    assert.equal(DESCRIPTORS_PER_THREAD, admission.DESCRIPTORS_PER_THREAD);
  });

  test("too few for the ladder are a warning with the command, and for --clients they are bad", () => {
    const machine = linux({ "/proc/self/limits": limitsText(256, 256) });
    const warned = checkDescriptors(machine, ANY, 2);
    assert.equal(warned.verdict, "warn");
    assert.match(warned.means, /about 144 connections/);
    // 10,000 and what is kept make 10,112.
    assert.equal(commandsOf(warned, "linux")[0], "sudo prlimit --pid $$ --nofile=16384:16384");
    assert.equal(commandsOf(warned, "macos")[0], "ulimit -n 16384");
    assert.equal(checkDescriptors(machine, { clients: 144 }, 2).verdict, "ok");
    assert.equal(checkDescriptors(machine, { clients: 145 }, 2).verdict, "bad");
  });

  test("that leave nothing for a connection are bad, whatever was asked for", () => {
    assert.equal(checkDescriptors(linux({ "/proc/self/limits": limitsText(64, 64) }), ANY, 2).verdict, "bad");
  });

  test("allowed by the hard limit already need no root", () => {
    const machine = linux({ "/proc/20/limits": limitsText(256, 20_000) });
    const finding = checkDescriptors(machine, ANY, 2);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /other programs started here hold fewer than 256/);
    assert.equal(commandsOf(finding, "linux")[0], "ulimit -n 16384");
  });

  test("beyond fs.nr_open need that raised first", () => {
    const machine = linux({ "/proc/sys/fs/nr_open": "20000\n" });
    assert.deepEqual(commandsOf(checkDescriptors(machine, { clients: 50_000 }, 2), "linux").slice(0, 2), [
      "sudo sysctl fs.nr_open=65536",
      "sudo prlimit --pid $$ --nofile=65536:65536",
    ]);
  });

  test("the runtime raises no further than 2^20, where the hard limit is none", () => {
    const finding = checkDescriptors(linux({ "/proc/self/limits": limitsText(1024, "unlimited") }), ANY, 1);
    assert.equal(finding.bounds[0]!.amount, 2 ** 20 - 88);
  });

  test("the shell's own limit is that of the nearest ancestor that is no runtime and no shell of npm's", () => {
    const machine = linux({
      "/proc/20/stat": statText("sh", 19),
      "/proc/19/stat": statText("npm run tidemar", 18),
      "/proc/18/stat": statText("zsh", 1),
      "/proc/18/limits": limitsText(4096, 20_000),
    });
    assert.match(checkDescriptors(machine, ANY, 2).found, /the shell's soft 4,096$/);
    assert.match(checkDescriptors(linux({ "/proc/20/limits": null }), ANY, 2).found, /own not known$/);
  });

  test("on macOS come from ulimit, and the shell's from launchd", () => {
    const finding = checkDescriptors(macos(), ANY, 8);
    assert.equal(finding.verdict, "warn"); // other programs: 256
    assert.match(
      finding.found,
      /^1,048,576 for a server started here; hard unlimited, the shell's soft 256$/,
    );
    assert.equal(commandsOf(finding, "macos")[0], "ulimit -n 16384");
  });

  test("are unknown where nothing tells them", () => {
    const finding = checkDescriptors(BARE, ANY, 1);
    assert.equal(finding.verdict, "unknown");
    assert.deepEqual(finding.bounds, []);
  });

  test("texts of ulimit and launchctl are read, and others are not", () => {
    assert.deepEqual(parseUlimit("256\nunlimited\n"), { soft: 256, hard: Number.POSITIVE_INFINITY });
    assert.equal(parseUlimit("sh: ulimit: bad"), null);
    assert.equal(parseUlimit(null), null);
    assert.deepEqual(parseLaunchctl("\tmaxfiles    256            10240\n"), { soft: 256, hard: 10_240 });
    assert.equal(parseLaunchctl(""), null);
  });
});

describe("all open files", () => {
  test("are what the machine's table has left", () => {
    const finding = checkSystemFiles(linux(), ANY);
    assert.equal(finding.verdict, "ok");
    assert.deepEqual(finding.bounds, [{ kind: "connections", amount: 2_466_186 - 1_472 }]);
  });

  test("bound nothing where the table has no end", () => {
    const machine = linux({ "/proc/sys/fs/file-nr": "1472\t0\t9223372036854775807\n" });
    const finding = checkSystemFiles(machine, ANY);
    assert.equal(finding.verdict, "ok");
    assert.deepEqual(finding.bounds, []);
  });

  test("too few are said with the command", () => {
    const machine = linux({ "/proc/sys/fs/file-nr": "900\t0\t1000\n" });
    assert.equal(checkSystemFiles(machine, ANY).verdict, "warn");
    const finding = checkSystemFiles(machine, { clients: 500 });
    assert.equal(finding.verdict, "bad");
    assert.equal(commandsOf(finding, "linux")[0], "sudo sysctl fs.file-max=4096");
  });

  test("on macOS are the least of the machine's and one process's", () => {
    assert.deepEqual(checkSystemFiles(macos(), ANY).bounds, [{ kind: "connections", amount: 122_880 }]);
  });

  test("are unknown without /proc", () => {
    assert.equal(checkSystemFiles(BARE, ANY).verdict, "unknown");
  });
});

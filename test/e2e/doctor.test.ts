// `tidemark doctor` as a person runs it: real processes on this machine, with limits of their own where the system lets
// a test set them (prlimit, a mount namespace, a network namespace).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileCache } from "../support/server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "tidemark-doctor-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Of one test, on a machine that is busy with others: a run takes about a second. */
const PATIENT = { timeout: 60_000 };

interface Found {
  id: string;
  verdict: string;
  found: string;
  means: string;
  figures: Record<string, number | string | null>;
  mend: Record<"linux" | "macos", { when: string; command: string }[]> | null;
}

const DOCTOR = [process.execPath, MAIN, "doctor"];

function run(words: readonly string[]) {
  const child = spawnSync(words[0]!, words.slice(1), {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", ...compileCache() },
    encoding: "utf8",
  });
  return { exitCode: child.status, out: child.stdout, error: child.stderr };
}

/** In a shell, so that its words can set limits before they start the doctor as `"$@"`. */
function inShell(script: string, words: readonly string[], before: readonly string[] = []) {
  return run([...before, "sh", "-c", script, "sh", ...DOCTOR, ...words]);
}

function findings(out: string): Map<string, Found> {
  const json: { findings: Found[] } = JSON.parse(out);
  return new Map(json.findings.map((finding) => [finding.id, finding]));
}

/** Why a command cannot be used here, or false. It is tried with `true` behind it, unless it is whole already. */
function missing(...words: string[]): string | false {
  const isWhole = words.includes(MAIN) || words[0] === "script";
  return run(isWhole ? words : [...words, "true"]).exitCode === 0
    ? false
    : `${words.join(" ")} is not allowed here`;
}

describe("tidemark doctor", () => {
  test(
    "--json has verdicts, figures and the commands of both systems, and leaves the folder as it was",
    PATIENT,
    () => {
      const data = join(root, "json");
      mkdirSync(data);
      const child = run([...DOCTOR, "--json", "--data", data]);
      const json = JSON.parse(child.out);
      assert.equal(child.exitCode, json.exit_code);
      assert.equal(child.error, "");
      assert.deepEqual(Object.keys(json), [
        "version",
        "platform",
        "data",
        "clients",
        "clients_fit",
        "exit_code",
        "what_limits_first",
        "limits",
        "findings",
      ]);
      for (const finding of json.findings as Found[]) {
        assert.match(finding.verdict, /^(ok|warn|bad|unknown)$/);
        assert.notEqual(finding.found, "");
        assert.notEqual(finding.means, "", finding.id);
        for (const remedy of [...(finding.mend?.linux ?? []), ...(finding.mend?.macos ?? [])])
          assert.notEqual(remedy.command, "");
      }
      const sync = findings(child.out).get("sync-speed")!;
      assert.ok(Number(sync.figures.syncs) >= 1);
      assert.deepEqual(readdirSync(data), []);
    },
  );

  test("prints at most 80 columns without colours, and ends with what limits first", PATIENT, () => {
    const child = run(DOCTOR);
    assert.ok(!child.out.includes("\x1b"));
    for (const line of child.out.split("\n")) assert.ok(line.length <= 80 || line.startsWith("    "), line);
    assert.match(child.out, /\nwhat limits first: .+\n(.+\n)?$/);
    assert.match(child.out, /\.\/data is not there yet/);
    assert.deepEqual(
      readdirSync(root).filter((name) => name !== "json"),
      [],
    );
  });

  const noTerminal = missing("script", "-qec", "true", "/dev/null");
  test("has colours on a terminal, unless NO_COLOR is set", { ...PATIENT, skip: noTerminal }, () => {
    const onTerminal = (before: string) =>
      run(["script", "-qec", `${before} '${DOCTOR.join("' '")}'`, "/dev/null"]).out;
    assert.ok(onTerminal("TERM=xterm").includes("\x1b[32mok"));
    assert.ok(!onTerminal("TERM=xterm NO_COLOR=1").includes("\x1b"));
  });

  test("refuses what is no flag or no number, with exit code 2", PATIENT, () => {
    for (const words of [["--clients", "many"], ["--clients", "0"], ["--dta", "x"], ["x"], ["--data", ""]]) {
      const child = run([...DOCTOR, ...words]);
      assert.equal(child.exitCode, 2, words.join(" "));
      assert.match(child.error, /^cannot .*\n$/);
      assert.equal(child.out, "");
    }
  });
});

describe("tidemark doctor under limits", () => {
  const noPrlimit = missing("prlimit", "--nofile=256:256");
  test("of 256 descriptors warns with the command, and for more clients than fit exits 1", {
    ...PATIENT,
    skip: noPrlimit,
  }, () => {
    const before = ["prlimit", "--nofile=256:256"];
    const child = run([...before, ...DOCTOR, "--json"]);
    const descriptors = findings(child.out).get("descriptors")!;
    assert.equal(descriptors.verdict, "warn");
    assert.equal(descriptors.figures.hard, 256);
    assert.match(descriptors.mend!.linux[0]!.command, /prlimit --pid \$\$ --nofile=16384:16384/);
    const bad = run([...before, ...DOCTOR, "--clients", "1000"]);
    assert.equal(bad.exitCode, 1);
    assert.match(bad.out, /^bad {6}descriptors/m);
    assert.match(bad.out, /1,000 clients\s+do\s+not\s+fit\n$/);
  });

  test("of 256 descriptors in the shell alone says both: its own, and what the runtime raised it to", {
    ...PATIENT,
    skip: noPrlimit || missing("prlimit", "--nofile=256:4096"),
  }, () => {
    // Something stands behind, so that the shell stays and is asked.
    const child = inShell('"$@"; exit $?', ["--json"], ["prlimit", "--nofile=256:4096"]);
    const descriptors = findings(child.out).get("descriptors")!;
    assert.equal(descriptors.figures.shell_soft, 256);
    assert.equal(descriptors.figures.usable, 4096);
    assert.equal(descriptors.verdict, "warn");
  });

  test("of memory's file system says that a sync means little there, and that it is full soon", {
    ...PATIENT,
    skip: missing("unshare", "-m"),
  }, () => {
    const mount = join(root, "tmpfs");
    mkdirSync(mount);
    const script = `mount -t tmpfs -o size=16m tmpfs '${mount}' && exec "$@"`;
    const child = inShell(script, ["--json", "--data", join(mount, "data")], ["unshare", "-m"]);
    assert.equal(child.exitCode, 1, child.error);
    const found = findings(child.out);
    assert.equal(found.get("data-folder")!.verdict, "warn");
    assert.equal(found.get("data-folder")!.figures.file_system, "tmpfs");
    assert.equal(found.get("free-space")!.verdict, "bad");
  });

  test("of a read-only file system says so and goes on", {
    ...PATIENT,
    skip: missing("unshare", "-m"),
  }, () => {
    const mount = join(root, "readonly");
    mkdirSync(mount);
    const script = `mount -t tmpfs -o ro,size=1m tmpfs '${mount}' && exec "$@"`;
    const child = inShell(script, ["--json", "--data", mount], ["unshare", "-m"]);
    assert.equal(child.exitCode, 1, child.error);
    const found = findings(child.out);
    assert.match(found.get("data-folder")!.means, /EROFS/);
    assert.equal(found.get("sync-speed")!.verdict, "unknown");
    assert.equal(found.get("cores")!.verdict === "unknown", false);
  });

  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const mayRunAsNobody = missing(...nobody, process.execPath, MAIN, "--version");
  test("of a folder that is another user's says how to make it one's own", {
    ...PATIENT,
    skip: mayRunAsNobody,
  }, () => {
    chmodSync(root, 0o755);
    const data = join(root, "private");
    mkdirSync(data, { mode: 0o700 });
    const child = run([...nobody, ...DOCTOR, "--json", "--data", data]);
    assert.equal(child.exitCode, 1, child.error);
    assert.match(findings(child.out).get("data-folder")!.mend!.linux[0]!.command, /^sudo install -d -o/);
  });

  test("of the listen queue and of the ports, in a network of its own, names both settings", {
    ...PATIENT,
    skip: missing("unshare", "-n"),
  }, () => {
    const script =
      'echo 16 > /proc/sys/net/core/somaxconn && echo "40000 40099" > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"';
    const child = inShell(script, ["--json"], ["unshare", "-n"]);
    const json = JSON.parse(child.out);
    const amounts = Object.fromEntries(
      json.limits.map((limit: { kind: string; amount: number }) => [limit.kind, limit.amount]),
    );
    assert.equal(amounts.connects_at_once, 16);
    assert.equal(amounts.connections_from_one_host, 100);
    const queue = findings(child.out).get("listen-queue")!;
    assert.equal(queue.verdict, "warn");
    assert.equal(queue.mend!.linux[0]!.command, "sudo sysctl net.core.somaxconn=4096");
  });
});

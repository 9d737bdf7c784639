// The command line as a person meets it: real processes of this runtime, their output and their exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SETTINGS } from "../config-settings.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

function tidemark(words: string[], environment: Record<string, string> = {}) {
  const { PATH = "" } = process.env;
  const child = spawnSync(process.execPath, [MAIN, ...words], {
    env: { PATH, ...environment },
    encoding: "utf8",
  });
  return { exitCode: child.status, out: child.stdout, error: child.stderr };
}

function assertRefused(words: string[], line: RegExp, environment: Record<string, string> = {}): void {
  const run = tidemark(words, environment);
  assert.match(run.error, line);
  assert.equal(run.error.trimEnd().split("\n").length, 1, run.error);
  assert.equal(run.out, "");
  assert.equal(run.exitCode, 2);
}

describe("tidemark", () => {
  test("--version says its own and the runtime's", () => {
    const run = tidemark(["--version"]);
    assert.match(run.out, /^tidemark \d+\.\d+\.\d+ \((Bun|Node) \d+\.\d+\.\d+\)\n$/);
    assert.equal(run.exitCode, 0);
  });

  test("without a word, with help and with --help it lists the commands that are built, and exits 0", () => {
    const runs = [tidemark([]), tidemark(["help"]), tidemark(["--help"])];
    for (const run of runs) {
      assert.equal(run.exitCode, 0);
      assert.equal(run.error, "");
      for (const name of ["serve", "load", "capacity", "verify", "doctor"]) {
        assert.match(run.out, new RegExp(`\\n {2}${name} `));
      }
    }
  });

  test("a command that is not there is refused", () => {
    assertRefused(["measure"], /^cannot .*unknown command 'measure'/);
    assertRefused(["help", "measure"], /^cannot .*no known command/);
    assertRefused(["--port", "1", "serve"], /^cannot .*unknown option '--port'/);
  });
});

describe("tidemark serve", () => {
  test("--help shows every flag with its default, on lines of at most 80 characters", () => {
    const run = tidemark(["serve", "--help"]);
    assert.equal(run.exitCode, 0);
    assert.equal(tidemark(["help", "serve"]).out, run.out);
    for (const setting of SETTINGS) {
      assert.ok(run.out.includes(`--${setting.name} <${setting.placeholder}>`), setting.name);
      assert.ok(run.out.replace(/\s+/g, " ").includes(setting.byDefault), setting.name);
    }
    for (const line of run.out.split("\n")) assert.ok(line.length <= 80, line);
  });

  test("a bad value is one line that names the flag and the range, with exit code 2", () => {
    assertRefused(
      ["serve", "--port", "70000"],
      /^cannot use --port 70000 because it must be a whole number from 0 to 65535\n$/,
    );
    assertRefused(["serve"], /^cannot use --ack maybe from TIDEMARK_ACK because /, { TIDEMARK_ACK: "maybe" });
    assertRefused(
      ["serve", "--config", "/nonexistent.yaml"],
      /^cannot read --config \/nonexistent.yaml because /,
    );
  });

  test("an unknown flag, a flag without its value and a stray word are refused", () => {
    assertRefused(["serve", "--prt", "1"], /unknown option '--prt' \(Did you mean --port\?\)/);
    assertRefused(["serve", "--port"], /'--port <N>' argument missing/);
    assertRefused(["serve", "8080"], /every setting is a flag/);
  });

  test("no secret is shown, however the flag was mistyped", () => {
    for (const words of [
      ["--token", "web:hunter2"],
      ["--token=hunter2"],
      ["--tokn=web=hunter2"],
      ["--token", "a=b", "web=hunter2"],
      ["-token=web=hunter2"],
    ]) {
      const run = tidemark(["serve", ...words]);
      assert.equal(run.exitCode, 2);
      assert.doesNotMatch(run.error + run.out, /hunter2/, words.join(" "));
    }
  });
});

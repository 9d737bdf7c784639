// Makes a copy of the project and tries each mistake in it: the edit, the tests that must notice, the edit undone.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { IS_BUN } from "../support/server-process.ts";
import type { Mistake } from "./mistakes.ts";

export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
/** One test file; a mistake may well make it hang. */
const TEST_MS_MAX = 120_000;

export interface Trial {
  readonly mistake: Mistake;
  /** The test file that failed; null where all passed. */
  readonly noticedBy: string | null;
  /** Its first failing test, as the runner named it. */
  readonly words: string;
}

export class ProjectCopy {
  readonly folder = mkdtempSync(join(tmpdir(), "tidemark-mistakes-"));
  private readonly asItIs = new Map<string, string | null>();

  constructor() {
    const words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const list = execFileSync("git", words, { cwd: PROJECT, encoding: "utf8" }).split("\0");
    for (const path of list.filter((name) => /^(src|test|bench|scripts)\/|\.json$/.test(name))) {
      if (!existsSync(join(PROJECT, path))) continue;
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      cpSync(join(PROJECT, path), join(this.folder, path));
    }
    symlinkSync(join(PROJECT, "node_modules"), join(this.folder, "node_modules"));
  }

  /** A test that fails without the mistake notices nothing, and is passed over; `told` hears of it. */
  try(mistake: Mistake, told: (line: string) => void): Trial {
    const path = join(this.folder, mistake.file);
    const right = readFileSync(path, "utf8");
    const wrong = applied(mistake, right);
    for (const test of mistake.tests) {
      const before = this.failureAsItIs(test);
      if (before !== null) {
        told(`${test} fails as it is: ${before}`);
        continue;
      }
      writeFileSync(path, wrong);
      const words = this.failureOf(test);
      writeFileSync(path, right);
      if (words !== null) return { mistake, noticedBy: test, words };
    }
    return { mistake, noticedBy: null, words: "" };
  }

  private failureAsItIs(test: string): string | null {
    const known = this.asItIs.get(test);
    if (known !== undefined) return known;
    const words = this.failureOf(test);
    this.asItIs.set(test, words);
    return words;
  }

  /** In one process, so that a test that never comes back can be ended. The first failing test of the file as it stands; null where it passes. */
  private failureOf(test: string): string | null {
    const words = IS_BUN
      ? ["test", "--timeout", "60000", `./${test}`]
      : ["--test", "--test-isolation=none", "--test-timeout=20000", "--test-force-exit", test];
    const end = spawnSync(process.execPath, words, {
      cwd: this.folder,
      encoding: "utf8",
      timeout: TEST_MS_MAX,
      killSignal: "SIGKILL",
    });
    if (end.status === 0) return null;
    const output = `${end.stdout}${end.stderr}`;
    return /^\s*(?:✖|\(fail\)) (.*?)(?: [([][\d.]+ ?ms[)\]])?$/m.exec(output)?.[1] ?? "no answer in time";
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The file's text with the mistake in it. Throws where the place is not there, or not once. */
export function applied(mistake: Mistake, text: string): string {
  if (text.split(mistake.find).length !== 2) {
    throw new Error(
      `cannot make the mistake "${mistake.name}" because ${mistake.file} no longer has its place once; mend test/mistakes/mistakes.ts`,
    );
  }
  return text.replace(mistake.find, () => mistake.replace);
}

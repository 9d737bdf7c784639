import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { TidemarkError } from "../../errors.ts";
import { startOwnServer } from "./own-server.ts";

const command = [process.execPath, fileURLToPath(new URL("../../cli/main.ts", import.meta.url))];
const scratch = mkdtempSync(join(tmpdir(), "tidemark-own-server-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
describe("a server of the run's own", () => {
  test("serves at the address it gives, and leaves neither process nor folder behind", async () => {
    const server = await startOwnServer({ command, flags: ["--threads", "1"], descriptors: null });
    const { settings } = (await (await fetch(`${server.url}/stats`)).json()) as {
      settings: { dataDirectory: string };
    };
    assert.equal(existsSync(settings.dataDirectory), true);
    await Promise.all([server.stop(), server.stop()]);
    assert.equal(isAlive(server.pid), false);
    assert.equal(existsSync(dirname(settings.dataDirectory)), false);
  });

  test("the operator's flags reach it", async () => {
    const server = await startOwnServer({
      command,
      flags: ["--threads", "2", "--backlog", "7"],
      descriptors: null,
    });
    try {
      const { settings } = (await (await fetch(`${server.url}/stats`)).json()) as {
        settings: { backlog: number };
      };
      assert.equal(settings.backlog, 7);
    } finally {
      await server.stop();
    }
  });

  test("a limit of descriptors is its own", {
    skip: process.platform !== "linux" && "no /proc here",
  }, async () => {
    const server = await startOwnServer({ command, flags: ["--threads", "1"], descriptors: 300 });
    try {
      const { descriptors } = (await (await fetch(`${server.url}/stats`)).json()) as {
        descriptors: { soft: number };
      };
      assert.equal(descriptors.soft, 300);
    } finally {
      await server.stop();
    }
  });

  test("a bad flag is told in the server's own words", async () => {
    await assert.rejects(
      startOwnServer({ command, flags: ["--threads", "none"], descriptors: null }),
      (error: unknown) =>
        error instanceof TidemarkError && /it ended with 2: .*--threads/.test(error.message),
    );
  });

  test("a program that is not there, or does not listen, is an error and not a hang", async () => {
    const silent = join(scratch, "silent.js");
    writeFileSync(silent, "process.exit(3)");
    await assert.rejects(
      startOwnServer({ command: [process.execPath, silent], flags: [], descriptors: null }),
      /it ended with 3/,
    );
    await assert.rejects(
      startOwnServer({ command: [join(scratch, "absent")], flags: [], descriptors: null }),
      TidemarkError,
    );
  });
});

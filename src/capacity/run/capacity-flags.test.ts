import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TidemarkError } from "../../errors.ts";
import { type CapacityFlags, readCapacityFlags } from "./capacity-flags.ts";

const surroundings = {
  command: ["runtime", "main.ts"],
  serveSettings: ["threads", "backlog", "ack"],
  readFile: (path: string) => {
    if (path === "absent") throw new Error("ENOENT: no such file");
    return new TextEncoder().encode(path);
  },
};
const read = (flags: CapacityFlags = {}, serveFlags: readonly string[] = []) =>
  readCapacityFlags(flags, serveFlags, surroundings);

function refusalOf(flags: CapacityFlags, serveFlags: readonly string[] = []): string {
  try {
    read(flags, serveFlags);
  } catch (error) {
    assert.ok(error instanceof TidemarkError);
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail("nothing was refused");
}

describe("the flags of a capacity run", () => {
  test("none of them: a server of its own, the ladder, and the search", () => {
    const options = read();
    assert.deepEqual(options.target, { kind: "own", command: ["runtime", "main.ts"], flags: [] });
    assert.equal(options.ladder, null);
    assert.equal(options.runsLadder, true);
    assert.equal(options.searches, true);
    assert.equal(options.objective.text, "success>=99%,p99<=50ms");
    assert.equal(options.paceMs, 100);
    assert.equal(options.verifies, false);
  });

  test("a ladder alone is not followed by a search, a search alone has no ladder, both are both", () => {
    const parts = (flags: CapacityFlags) => [read(flags).runsLadder, read(flags).searches];
    assert.deepEqual(parts({ ladder: "20,50" }), [true, false]);
    assert.deepEqual(parts({ search: true }), [false, true]);
    assert.deepEqual(parts({ ladder: "20,50", search: true }), [true, true]);
  });

  test("what stands behind -- goes to the server that is started", () => {
    const { target } = read({}, ["--rate-limit", "50"]);
    assert.deepEqual(target, { kind: "own", command: ["runtime", "main.ts"], flags: ["--rate-limit", "50"] });
    assert.match(refusalOf({ target: "http://127.0.0.1:1/" }, ["--rate-limit", "50"]), /--target/);
  });

  test("a target is not ours to start again", () => {
    const target = "http://127.0.0.1:1/";
    assert.deepEqual(read({ target, pid: "7" }).target, { kind: "url", url: target, pid: 7 });
    assert.deepEqual(read({ target }).target, { kind: "url", url: target, pid: null });
    for (const flags of [{ verify: true }, { comparePhases: true }, { sweep: ["threads=1,2"] }])
      assert.match(refusalOf({ target, ...flags }), /with --target because the run would have to start it/);
    assert.match(refusalOf({ pid: "7" }), /--pid without --target/);
  });

  test("a payload, headers and a method are read", () => {
    const { request } = read({ payload: "file", header: ["A: b", "C: d"], method: "PUT" });
    assert.deepEqual(request.headers, [
      ["A", "b"],
      ["C", "d"],
    ]);
    assert.equal(request.method, "PUT");
    assert.equal(new TextDecoder().decode(request.bodies![0]), "file");
    assert.match(refusalOf({ payload: "absent" }), /--payload absent because ENOENT/);
  });

  test("agents need a target that they reach, which the run's own server is not", () => {
    assert.match(
      refusalOf({ agents: "nats://127.0.0.1:4222" }),
      /^cannot use --agents without --target because /,
    );
    read({ agents: "nats://127.0.0.1:4222", target: "http://10.0.0.9:8080/" });
  });

  test("each bad value is refused by its flag's name", () => {
    const bad: CapacityFlags[] = [
      { pid: "x", target: "http://x/" },
      { ladder: "0" },
      { pace: "100" },
      { keepAlive: "yes" },
      { threads: "0" },
      { timeout: "0s" },
      { levelTime: "1ms" },
      { seed: "-1" },
      { objective: "p98<=1ms" },
      { sweep: ["color=1,2"] },
      { batch: "0" },
      { method: "A B" },
      { header: ["nonsense"] },
      { target: "https://x/" },
    ];
    for (const flags of bad) assert.match(refusalOf(flags), /^cannot /);
  });
});

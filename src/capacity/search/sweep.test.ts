import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSweep, parseSweeps } from "./sweep.ts";

const FLAGS = ["threads", "backlog", "ack", "keep-alive", "body-max"];

describe("reading --sweep", () => {
  test("a setting and its values come back in the order given", () => {
    assert.deepEqual(parseSweep("threads=1,2,4,8", FLAGS), { flag: "threads", values: ["1", "2", "4", "8"] });
    assert.deepEqual(parseSweep(" --keep-alive=on, off ", FLAGS), {
      flag: "keep-alive",
      values: ["on", "off"],
    });
    assert.deepEqual(parseSweep("body-max=64KiB,1.5MiB", FLAGS).values, ["64KiB", "1.5MiB"]);
    assert.deepEqual(parseSweep("ack=synced", FLAGS).values, ["synced"]);
  });

  test("several settings are several sweeps", () => {
    assert.deepEqual(
      parseSweeps(["threads=1,2", "ack=accepted,synced"], FLAGS).map(({ flag }) => flag),
      ["threads", "ack"],
    );
    assert.deepEqual(parseSweeps([], FLAGS), []);
  });

  const refused: readonly [text: string, why: RegExp][] = [
    ["", /it is not SETTING=VALUE,VALUE,…; try --sweep threads=1,2,4,8/],
    ["threads", /it is not SETTING=VALUE/],
    ["=1,2", /it is not SETTING=VALUE/],
    ["data=a,b", /serve has no --data to sweep; try threads, backlog, ack, keep-alive, body-max/],
    ["threads=", /a value is empty/],
    ["threads=1,,2", /a value is empty/],
    ["threads=1,--port", /'--port' is no value for a flag/],
    ["threads=1 2,3", /'1 2' is no value for a flag/],
    ["threads=1,2,1", /it has 1 twice; try --sweep threads=1,2/],
    [
      `threads=${Array.from({ length: 17 }, (_, index) => index + 1).join(",")}`,
      /it has 17 values; try at most 16/,
    ],
  ];
  for (const [text, message] of refused)
    test(`'${text.slice(0, 24)}' is refused as bad usage`, () => {
      assert.throws(() => parseSweep(text, FLAGS), { name: "TidemarkError", exitCode: 2, message });
    });

  test("one setting twice, and too many sweeps, are refused", () => {
    assert.throws(() => parseSweeps(["threads=1,2", "threads=4"], FLAGS), /cannot sweep threads twice/);
    assert.throws(() => parseSweeps(Array(9).fill("threads=1"), FLAGS), /cannot run 9 sweeps.*at most 8/);
  });
});

// Fuzzing for a moment: some thousands of the inputs that `npm run attack -- fuzz` makes by the million, from a fixed seed;
// and that the fuzzer would notice.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resolveServeConfig } from "../../src/config.ts";
import { emptyTally, type FuzzTarget, fuzz, INPUT_MS_MAX } from "./fuzz-target.ts";
import { fuzzOnThread } from "./fuzz-thread.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20_251_124;
const INPUTS = 1_500;

describe("whatever comes in is dealt with rightly:", () => {
  for (const target of TARGETS) {
    test(target.name, { timeout: 120_000 }, () => {
      const tally = emptyTally();
      fuzz(target, SEED, 0, INPUTS, tally);
      assert.deepEqual(tally.wrong, []);
      assert.ok(tally.taken > INPUTS / 100, `${tally.taken} were taken`);
    });
  }

  test("a thread of its own finds the same", { timeout: 120_000 }, async () => {
    const [target] = TARGETS;
    const here = emptyTally();
    fuzz(target!, SEED, 0, 300, here);
    const there = await fuzzOnThread(target!.name, SEED, 300);
    assert.deepEqual({ ...there, msMax: 0 }, { ...here, msMax: 0 });
  });
});

describe("the fuzzer notices", () => {
  const target: FuzzTarget<number> = {
    name: "numbers",
    make: (random) => Math.floor(random() * 100),
    check(input) {
      assert.notEqual(input, 7);
      if (input === 8) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * INPUT_MS_MAX);
      return input > 10;
    },
    show: String,
  };

  test("what throws and what is slow every time, and says which input it was", () => {
    const tally = emptyTally();
    fuzz(target as FuzzTarget, SEED, 0, 200, tally);
    assert.match(tally.wrong[0]!, /^numbers, seed \d+, input \d+: 7: /);
    assert.ok(tally.slow.some((said) => /^\d+ ms: numbers, seed \d+, input \d+: 8$/.test(said)));
    const index = Number(/input (\d+)/.exec(tally.wrong[0]!)![1]);
    const again = emptyTally();
    fuzz(target as FuzzTarget, SEED, index, index + 1, again);
    assert.deepEqual(again.wrong, [tally.wrong[0]]);
  });
});

test("a refused setting is shown without what a terminal or a reader of lines would act upon", () => {
  for (const value of ["a\u2028b", "a\u009b31mb", "a\x7fb", "a\u202eb"]) {
    assert.throws(
      () => resolveServeConfig({ host: value }, {}, () => ""),
      ({ message }: Error) => /--host "a\\u\{/.test(message) && !message.includes(value[1]!),
      JSON.stringify(value),
    );
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ladderLevels, ORIGIN_LADDER, parseLadder, plannedSeconds } from "./ladder.ts";

describe("reading --ladder", () => {
  test("numbers come back in ascending order", () => {
    assert.deepEqual(parseLadder("20,50,100"), [20, 50, 100]);
    assert.deepEqual(parseLadder(" 100, 1 ,60000"), [1, 100, 60_000]);
  });

  const refused: readonly [text: string, why: RegExp][] = [
    ["", /'' is no number of clients; try whole numbers, as --ladder 20,50,100/],
    ["20,,50", /'' is no number of clients/],
    ["20,fifty", /'fifty' is no number of clients/],
    ["0", /'0' is no number of clients/],
    ["-5", /'-5' is no number of clients/],
    ["1.5", /'1.5' is no number of clients/],
    ["1e3", /'1e3' is no number of clients/],
    ["60001", /no ports for 60001 clients; try at most 60000/],
    ["20,50,20", /it has 20 twice; try each number once/],
    [Array.from({ length: 33 }, (_, index) => index + 1).join(","), /it has 33 levels; try at most 32/],
  ];
  for (const [text, message] of refused)
    test(`'${text.slice(0, 20)}' is refused as bad usage`, () => {
      assert.throws(() => parseLadder(text), { name: "TidemarkError", exitCode: 2, message });
    });
});

describe("the levels of the ladder", () => {
  const levels = ladderLevels({ ladder: null, paceMs: 100 });

  test("the origin's five tests come first, each with its own number of requests", () => {
    const first = levels.slice(0, 5).map(({ id, kind, part, clients, paceMs, rate, stop }) => {
      assert.ok(stop.kind === "requests-each");
      return [id, kind, part, clients, paceMs, rate, stop.requests];
    });
    assert.deepEqual(first, [
      ["paced-20", "paced", "ladder", 20, 100, null, 50],
      ["paced-50", "paced", "ladder", 50, 100, null, 100],
      ["paced-100", "paced", "ladder", 100, 100, null, 100],
      ["paced-200", "paced", "ladder", 200, 100, null, 50],
      ["paced-500", "paced", "ladder", 500, 100, null, 20],
    ]);
    assert.deepEqual(
      ORIGIN_LADDER.map(({ clients, requestsEach }) => clients * requestsEach),
      [1_000, 5_000, 10_000, 10_000, 10_000],
    );
  });

  test("unpaced clients double up to 512, and the paced ones above the origin's come last", () => {
    assert.deepEqual(
      levels.slice(5).map(({ id }) => id),
      [...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((clients) => `unpaced-${clients}`)].concat(
        [1_000, 2_000, 5_000, 10_000].map((clients) => `paced-${clients}`),
      ),
    );
  });

  test("no two levels have one name", () => {
    assert.equal(new Set(levels.map(({ id }) => id)).size, levels.length);
  });

  test("the origin's tests are planned to take 32 s, and all of it leaves two of three minutes to the rest", () => {
    assert.equal(plannedSeconds(levels.slice(0, 5)), 32);
    assert.equal(plannedSeconds(levels), 32 + 10 * 1.5 + 4 * 2);
  });

  test("a target that stops answering holds a test of so many requests for half its time more, and a second", () => {
    for (const { stop, clients } of levels.slice(0, 5)) {
      assert.ok(stop.kind === "requests-each");
      assert.equal(stop.secondsMax, stop.requests * 0.15 + 1, `${clients} clients`);
    }
  });

  test("a ladder of one's own has its counts, and unpaced ones up to its highest", () => {
    const own = ladderLevels({ ladder: [5, 100, 700], paceMs: 100 });
    assert.deepEqual(
      own.map(({ id }) => id),
      [
        "paced-5",
        "paced-100",
        ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((clients) => `unpaced-${clients}`),
        "paced-700",
      ],
    );
    assert.deepEqual(
      own.slice(0, 2).map(({ stop }) => stop.kind),
      ["seconds", "requests-each"],
    );
    assert.equal(ladderLevels({ ladder: [3], paceMs: 100 }).length, 3);
  });

  test("at another pace the levels last two seconds, or two turns where the pace is slower than that", () => {
    const paced = ladderLevels({ ladder: [20], paceMs: 50 })[0];
    assert.deepEqual(paced?.stop, { kind: "seconds", seconds: 2 });
    const slow = ladderLevels({ ladder: [20], paceMs: 3_000 })[0];
    assert.deepEqual([slow?.paceMs, slow?.stop], [3_000, { kind: "seconds", seconds: 6 }]);
  });
});

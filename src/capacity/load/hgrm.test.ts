import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram } from "../../base/histogram.ts";
import { toHgrm } from "./hgrm.ts";

describe("a histogram as text", () => {
  // By hand. Buckets: 100,000 ns lies in one of 256 ns that ends at 100,095, 200,000 ns in one of 512 that ends at 200,191;
  // the largest value is exact. Shares: five steps to each halving, so 0, .1, .2, .3, .4, .5, .55, … and the row in which all four are counted ends it.
  test("is HdrHistogram's percentile distribution", () => {
    const histogram = Histogram.fine();
    for (const nanoseconds of [100, 100, 200, 400]) histogram.record(nanoseconds * 1000);
    const max = "0.400000";
    const edge = (count: number) => (count === 2 ? "0.100095" : "0.200191");
    const wanted = [
      "       Value     Percentile TotalCount 1/(1-Percentile)",
      "",
      `    ${edge(2)} 0.000000000000          2           1.00`,
      `    ${edge(2)} 0.100000000000          2           1.11`,
      `    ${edge(2)} 0.200000000000          2           1.25`,
      `    ${edge(2)} 0.300000000000          2           1.43`,
      `    ${edge(2)} 0.400000000000          2           1.67`,
      `    ${edge(2)} 0.500000000000          2           2.00`,
      `    ${edge(3)} 0.550000000000          3           2.22`,
      `    ${edge(3)} 0.600000000000          3           2.50`,
      `    ${edge(3)} 0.650000000000          3           2.86`,
      `    ${edge(3)} 0.700000000000          3           3.33`,
      `    ${edge(3)} 0.750000000000          3           4.00`,
      `    ${max} 0.775000000000          4           4.44`,
      `    ${max} 1.000000000000          4`,
      "#[Mean    =     0.200000, StdDeviation   =     0.122436]",
      "#[Max     =     0.400000, Total count    =            4]",
      "#[Buckets =            3, SubBuckets     =          256]",
      "",
    ];
    assert.deepEqual(toHgrm(histogram).split("\n"), wanted);
  });

  test("ends with all values at 100 %, however many there are", () => {
    const histogram = Histogram.fine();
    for (let value = 1; value <= 100_000; value++) histogram.record(value * 1000);
    const rows = toHgrm(histogram)
      .split("\n")
      .filter((row) => /^ +\d/.test(row));
    let [before, seen] = [-1, 0];
    for (const row of rows) {
      const [, share, count] = row.trim().split(/ +/).map(Number);
      assert.ok(share! > before && count! >= seen && count! / 100_000 >= share! - 1e-12, row);
      [before, seen] = [share!, count!];
    }
    assert.equal(before, 1);
    assert.equal(seen, 100_000);
  });

  test("of nothing has no rows and says so", () => {
    assert.match(toHgrm(Histogram.fine()), /\n\n#\[Mean .* 0\.000000.*\n.*Total count += {2,}0\]/);
  });
});

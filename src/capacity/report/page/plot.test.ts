import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { chart, drawLine, endLabels, linearScale, logScale, logTicks, ticksAt } from "./plot.ts";

const text = (value: number) => String(value);

describe("plots", () => {
  test("a linear axis ends on a round number at or above the largest value, and stands when all is 0", () => {
    assert.deepEqual(linearScale(21_733, 0, 100).domain(), [0, 25_000]);
    assert.deepEqual(linearScale(0, 0, 100).domain(), [0, 1]);
  });

  test("a logarithmic axis marks decades, with 2 and 5 between them where there is room", () => {
    const ticks = (gap: number) => logTicks(logScale(0.15, 240, 300, 0), gap, text).map((tick) => tick.value);
    assert.deepEqual(ticks(13), [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]);
    assert.deepEqual(ticks(40), [1, 10, 100]);
  });

  test("a logarithmic axis of one value is still an axis", () => {
    const scale = logScale(5, 5, 0, 100);
    assert.equal(scale(5), 0);
    assert.ok(Number.isFinite(scale(10)));
  });

  test("ticks keep their distance, and the first and the last are there", () => {
    const scale = logScale(20, 10_000, 0, 200);
    const ticks = ticksAt(scale, [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000], 38, text);
    const places = ticks.map((tick) => scale(tick.value));
    assert.equal(ticks[0]!.value, 20);
    assert.equal(ticks.at(-1)!.value, 10_000);
    for (let index = 1; index < places.length; index++) assert.ok(places[index]! - places[index - 1]! >= 38);
  });

  test("a line breaks where a value is missing, and a value alone is a dot", () => {
    const spots = [1, 2, null, 4, null].map((y, index) => ({ x: index * 10, y }));
    const { text: drawn } = drawLine(spots, "rate");
    assert.match(drawn, /d="M0,1L10,2M30,4Z"/);
    assert.equal(drawn.match(/<circle/g)?.length, 1);
    assert.equal(drawLine([{ x: 0, y: null }], "rate").text, "");
  });

  test("labels keep their order and their distance, and stay between top and bottom", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 150, noNaN: true }), { minLength: 1, maxLength: 8 }),
        (ys) => {
          const labels = ys.map((y, index) => ({ y, text: `label ${index}`, className: "rate" }));
          const { text: drawn } = endLabels(100, labels, 0, 150, 14);
          const places = [...drawn.matchAll(/<text x="112" y="([-\d.]+)"/g)].map(
            (match) => Number(match[1]) - 4,
          );
          assert.equal(places.length, ys.length);
          for (let index = 0; index < places.length; index++) {
            assert.ok(places[index]! >= -0.1 && places[index]! <= 150.1, String(places));
            if (index > 0) assert.ok(places[index]! - places[index - 1]! >= 13.8, String(places));
          }
        },
      ),
    );
  });

  test("what the pointer shows cannot end the script it is kept in", () => {
    const { text: made } = chart("rate", [], [{ at: 0.5, text: "</script><!--&" }]);
    const kept = /<script type="application\/json">(.*)<\/script><\/div>$/.exec(made)![1]!;
    assert.doesNotMatch(kept, /[<>&]/);
    assert.deepEqual(JSON.parse(kept), [[0.5, "</script><!--&"]]);
  });
});

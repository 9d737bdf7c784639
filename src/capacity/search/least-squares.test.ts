// Against the certified answers of NIST's Statistical Reference Datasets for nonlinear regression, Misra1a (of lower
// difficulty) and BoxBOD (of higher): www.itl.nist.gov/div898/strd. From NIST's further start of BoxBOD, (1, 1), the sum of
// squares falls towards a plateau where b₂ no longer matters; starts of our own fits are near, so theirs near by is taken,
// and one between.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fitLeastSquares, inverseInformation, type Model, sumOfSquares } from "./least-squares.ts";

/** y = b₁(1 − e^(−b₂x)), the model of both. */
const RISE: Model = {
  valueAt: (x, [b1, b2]) => b1! * (1 - Math.exp(-b2! * x)),
  gradientAt: (x, [b1, b2]) => [1 - Math.exp(-b2! * x), b1! * x * Math.exp(-b2! * x)],
};

interface Reference {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly starts: readonly (readonly number[])[];
  readonly parameters: readonly number[];
  readonly deviations: readonly number[];
  readonly squares: number;
}

const MISRA_1A: Reference = {
  x: [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
  y: [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78],
  starts: [
    [500, 0.0001],
    [250, 0.0005],
  ],
  parameters: [2.3894212918e2, 5.5015643181e-4],
  deviations: [2.7070075241, 7.2668688436e-6],
  squares: 1.2455138894e-1,
};

const BOX_BOD: Reference = {
  x: [1, 2, 3, 5, 7, 10],
  y: [109, 149, 149, 191, 213, 224],
  starts: [
    [150, 2],
    [100, 0.75],
  ],
  parameters: [2.1380940889e2, 5.4723748542e-1],
  deviations: [1.2354515176e1, 1.0455993237e-1],
  squares: 1.1680088766e3,
};

function assertDigits(actual: number, certified: number): void {
  assert.ok(Math.abs(actual / certified - 1) < 1e-6, `${actual} for ${certified}`);
}

describe("least squares", () => {
  for (const [name, reference] of Object.entries({ MISRA_1A, BOX_BOD }))
    for (const start of reference.starts)
      test(`${name} from ${start} gives the certified answer`, () => {
        const observations = reference.x.map((x, index) => ({ x, y: reference.y[index]! }));
        const found = fitLeastSquares(RISE, observations, start, [true, true]);
        reference.parameters.forEach((certified, index) => {
          assertDigits(found[index]!, certified);
        });
        const squares = sumOfSquares(RISE, observations, found);
        assertDigits(squares, reference.squares);
        const inverse = inverseInformation(RISE, observations, found)!;
        reference.deviations.forEach((certified, index) => {
          assertDigits(Math.sqrt((inverse[index]![index]! * squares) / (observations.length - 2)), certified);
        });
      });

  test("a parameter that is held stays where it is", () => {
    const observations = BOX_BOD.x.map((x, index) => ({ x, y: BOX_BOD.y[index]! }));
    const [b1, b2] = fitLeastSquares(RISE, observations, [100, 0.5], [true, false]);
    assert.equal(b2, 0.5);
    assert.ok(b1! > 210 && b1! < 230);
  });

  test("points that do not determine the parameters have no covariance", () => {
    const same = [1, 1, 1].map((x) => ({ x, y: 5 }));
    assert.equal(inverseInformation(RISE, same, [10, 0.5]), null);
  });
});

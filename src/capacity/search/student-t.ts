// Quantiles of Student's t distribution, for intervals of a fit that rests on a handful of points. Pure.
// For whole degrees of freedom the distribution is a finite sum of powers of a cosine (Abramowitz and Stegun, 26.7.3 and
// 26.7.4), which is exact; the quantile is found in it by halving.

import { assert } from "../../base/assert.ts";

/** From here the normal distribution's quantile is within 0.2 % of it, and the sum would only be longer. */
const DEGREES_MAX = 1_000;
const HALVINGS = 80;

/** The t that a share `confidence` (0 to 1, both tails left out alike) of the distribution lies within. */
export function studentT(confidence: number, degreesOfFreedom: number): number {
  assert(confidence > 0 && confidence < 1, "a confidence is between 0 and 1");
  assert(Number.isInteger(degreesOfFreedom) && degreesOfFreedom > 0, "degrees of freedom are a whole number");
  const degrees = Math.min(degreesOfFreedom, DEGREES_MAX);
  let low = 0;
  let high = 1;
  while (shareWithin(high, degrees) < confidence) high *= 2;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, degrees) < confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of the distribution between −t and t. */
function shareWithin(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const sine = Math.sin(angle);
  const cosine = Math.cos(angle);
  const isOdd = degrees % 2 === 1;
  if (degrees === 1) return (2 * angle) / Math.PI;
  let term = isOdd ? cosine : 1;
  let sum = term;
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= ((power - 1) / power) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

// Fits Gunther's Universal Scalability Law to rates measured with more and more clients. Pure.
//
//                    λn               λ  rate of one client alone
//   X(n) = ─────────────────────      σ  contention: share of the work that only one can do at a time, ≥ 0
//          1 + σ(n−1) + κn(n−1)       κ  coherency: what every pair of clients costs each other, ≥ 0
//
// Where σ or κ would come out negative the law is fitted without it (the best of the four laws with and without each is
// the best one within the bounds). Intervals are 95 %, by the Jacobian's covariance and Student's t; a parameter at its
// bound has the interval from 0 to what that covariance leaves open.

import type { ScalabilityJson } from "../report/report-json.ts";
import {
  fitLeastSquares,
  inverseInformation,
  type Model,
  type Observation,
  sumOfSquares,
} from "./least-squares.ts";
import { studentT } from "./student-t.ts";

export interface ScalabilityPoint {
  readonly clients: number;
  readonly rate: number;
}

/** Three parameters, and one point more so that there is something to tell their intervals by. */
export const POINTS_MIN = 4;
/** With fewer the fit is drawn, and said to rest on little. */
const POINTS_ENOUGH = 6;
const R_SQUARED_ENOUGH = 0.9;
const CONFIDENCE = 0.95;
const CURVE_POINTS = 60;
/** The curve is drawn on to a peak that lies past the measured clients, up to this multiple of them. */
const CURVE_BEYOND = 2;

const LAW: Model = {
  valueAt: (n, [lambda, sigma, kappa]) => (lambda! * n) / (1 + sigma! * (n - 1) + kappa! * n * (n - 1)),
  gradientAt: (n, [lambda, sigma, kappa]) => {
    const below = 1 + sigma! * (n - 1) + kappa! * n * (n - 1);
    const slope = (-lambda! * n) / (below * below);
    return [n / below, slope * (n - 1), slope * n * (n - 1)];
  },
};

/** With and without contention and coherency; λ is always there. */
const LAWS: readonly (readonly boolean[])[] = [
  [true, true, true],
  [true, true, false],
  [true, false, true],
  [true, false, false],
];

/** Null where the points are too few: below POINTS_MIN different numbers of clients with a rate above 0. */
export function fitScalability(measured: readonly ScalabilityPoint[]): ScalabilityJson | null {
  const points = measured
    .filter(({ clients, rate }) => clients >= 1 && rate > 0 && Number.isFinite(rate))
    .sort((a, b) => a.clients - b.clients);
  const counts = new Set(points.map(({ clients }) => clients));
  if (counts.size < POINTS_MIN) return null;
  const observations = points.map(({ clients, rate }) => ({ x: clients, y: rate }));
  const parameters = bestWithinBounds(observations);
  const covariance = covarianceOf(observations, parameters);
  if (covariance === null) return null;
  const t = studentT(CONFIDENCE, observations.length - 3);
  const interval = (index: number): [number, number] => {
    const reach = t * Math.sqrt(covariance[index]![index]!);
    return [Math.max(0, parameters[index]! - reach), parameters[index]! + reach];
  };
  const [lambda, sigma, kappa] = parameters as [number, number, number];
  const peakClients = peakOf(sigma, kappa);
  const mean = observations.reduce((sum, { y }) => sum + y, 0) / observations.length;
  const spread = observations.reduce((sum, { y }) => sum + (y - mean) ** 2, 0);
  const squares = sumOfSquares(LAW, observations, parameters);
  const fit = {
    lambda,
    sigma,
    kappa,
    lambda_interval: interval(0),
    sigma_interval: interval(1),
    kappa_interval: interval(2),
    r_squared: spread > 0 ? 1 - squares / spread : 0,
    peak_clients: peakClients,
    peak_rate: peakClients === null ? null : LAW.valueAt(peakClients, parameters),
  };
  return {
    ...fit,
    points,
    curve: curveClients(points, peakClients).map((clients) => {
      const rate = LAW.valueAt(clients, parameters);
      const reach = t * Math.sqrt(varianceAt(clients, parameters, covariance));
      return { clients, rate, low: Math.max(0, rate - reach), high: rate + reach };
    }),
    note: noteOn(fit, points),
  };
}

/** The least sum of squares among the laws whose parameters are within their bounds; some always are. */
function bestWithinBounds(observations: readonly Observation[]): number[] {
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const isFree of LAWS) {
    for (const start of starts(observations)) {
      const held = start.map((value, index) => (isFree[index] ? value : 0));
      const parameters = fitLeastSquares(LAW, observations, held, isFree);
      const squares = sumOfSquares(LAW, observations, parameters);
      if (parameters.every((value) => value >= 0) && squares < least) {
        best = parameters;
        least = squares;
      }
    }
  }
  return best;
}

/**
 * Where to descend from. n ÷ X = (1 + σ(n−1) + κn(n−1)) ÷ λ is linear in 1/λ, σ/λ and κ/λ; weighted by X²/n its residuals
 * are those of X, nearly, and so its solution lies near by. Beside it a plain guess, for points so bent by noise that the
 * linear solution has a negative λ.
 */
function starts(observations: readonly Observation[]): number[][] {
  const weightOf = new Map(observations.map(({ x, y }) => [x, (y * y) / x]));
  const weightAt = (n: number): number => weightOf.get(n)!;
  const linear: Model = {
    valueAt: (n, [a, b, c]) => weightAt(n) * (a! + b! * (n - 1) + c! * n * (n - 1)),
    gradientAt: (n) => [weightAt(n), weightAt(n) * (n - 1), weightAt(n) * n * (n - 1)],
  };
  const turned = observations.map(({ x, y }) => ({ x, y: weightAt(x) * (x / y) }));
  const [a, b, c] = fitLeastSquares(linear, turned, [0, 0, 0], [true, true, true]) as [
    number,
    number,
    number,
  ];
  const plain = [Math.max(...observations.map(({ x, y }) => y / x)), 0.01, 0.0001];
  return a > 0 ? [[1 / a, Math.max(0, b / a), Math.max(0, c / a)], plain] : [plain];
}

function covarianceOf(
  observations: readonly Observation[],
  parameters: readonly number[],
): number[][] | null {
  const inverse = inverseInformation(LAW, observations, parameters);
  if (inverse === null) return null;
  const variance = sumOfSquares(LAW, observations, parameters) / (observations.length - 3);
  return inverse.map((row) => row.map((value) => value * variance));
}

function varianceAt(n: number, parameters: readonly number[], covariance: readonly number[][]): number {
  const gradient = LAW.gradientAt(n, parameters);
  const variance = gradient.reduce(
    (sum, a, i) => sum + gradient.reduce((inner, b, j) => inner + a * b * covariance[i]![j]!, 0),
    0,
  );
  return Math.max(0, variance);
}

/** n* = √((1−σ)/κ), at least one client; null where the rate only grows. */
function peakOf(sigma: number, kappa: number): number | null {
  if (sigma >= 1) return 1;
  return kappa > 0 ? Math.max(1, Math.sqrt((1 - sigma) / kappa)) : null;
}

/** Evenly on a logarithmic scale, from the fewest clients to the most, or to the peak where that is not far off. */
function curveClients(points: readonly ScalabilityPoint[], peak: number | null): number[] {
  const fewest = points[0]!.clients;
  const most = points.at(-1)!.clients;
  const end = peak !== null && peak > most ? Math.min(peak * 1.1, most * CURVE_BEYOND) : most;
  return Array.from({ length: CURVE_POINTS }, (_, index) =>
    index === CURVE_POINTS - 1 ? end : fewest * (end / fewest) ** (index / (CURVE_POINTS - 1)),
  );
}

function noteOn(
  fit: Omit<ScalabilityJson, "points" | "curve" | "note">,
  points: readonly ScalabilityPoint[],
): string {
  const most = points.at(-1)!.clients;
  if (fit.r_squared < R_SQUARED_ENOUGH)
    return `The law does not describe these points (R² ${fit.r_squared.toFixed(2)}); do not read its parameters.`;
  const caution = points.length < POINTS_ENOUGH ? ` It rests on ${points.length} points only.` : "";
  const contention =
    fit.sigma > 0
      ? `${figure(fit.sigma * 100)} % of the work cannot be shared`
      : "no contention shows in these points (σ at its bound of 0)";
  if (fit.peak_clients === null) {
    const limit = fit.sigma > 0 ? `; the rate levels off towards ${figure(fit.lambda / fit.sigma)}/s` : "";
    return `${sentence(contention)}${limit}, and more clients cost nothing yet (κ at its bound of 0).${caution}`;
  }
  const peak = `${figure(fit.peak_clients)} clients and ${figure(fit.peak_rate!)}/s`;
  if (fit.peak_clients > most)
    return `${sentence(contention)}; the peak, at ${peak}, lies past the ${most} clients measured and is a guess.${caution}`;
  const certain = fit.kappa_interval[0] > 0 ? "" : " (though κ may as well be 0, and then there is no peak)";
  return `${sentence(contention)}; the rate peaks at ${peak}${certain}.${caution}`;
}

function sentence(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

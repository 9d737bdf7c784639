// The fitted Universal Scalability Law in words: its parameters with their intervals, and where it is highest.

import { countText, isKnown, parameterText, rateUnitText } from "./figures.ts";
import type { ScalabilityJson } from "./report-json.ts";

export function lawText(law: ScalabilityJson): string[] {
  const peak =
    isKnown(law.peak_clients) && isKnown(law.peak_rate)
      ? `highest at ${countText(law.peak_clients)} clients: ${rateUnitText(law.peak_rate)}`
      : "no highest point: the fitted rate only grows";
  return [
    `λ ${within(law.lambda, law.lambda_interval)} req/s of one client`,
    `σ ${within(law.sigma, law.sigma_interval)} contention`,
    `κ ${within(law.kappa, law.kappa_interval)} coherence`,
    `R² ${parameterText(law.r_squared)}`,
    peak,
  ];
}

function within(value: number, [low, high]: readonly [number, number]): string {
  return `${parameterText(value)} (${parameterText(low)} to ${parameterText(high)})`;
}

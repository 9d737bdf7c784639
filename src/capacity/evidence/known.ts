// Between the texts' "not known", NaN, and the samples', null.

/** The number, or null where it is not known. Infinity, "no limit", is known. */
export function orNull(figure: number): number | null {
  return Number.isNaN(figure) ? null : figure;
}

/** The sum of what is known; null where nothing is. */
export function sumKnown(figures: readonly number[]): number | null {
  const known = figures.filter((figure) => !Number.isNaN(figure));
  return known.length === 0 ? null : known.reduce((sum, figure) => sum + figure, 0);
}

// Non-linear least squares by Levenberg's and Marquardt's method, for models of a few parameters. Pure.
// Parameters may differ by many orders of magnitude (a rate of 10⁵ beside a delay of 10⁻⁶): every column of the Jacobian
// is scaled to length one before the normal equations are solved, so that the damping means the same for each.

export interface Model {
  /** Its value at a point for these parameters. */
  valueAt(x: number, parameters: readonly number[]): number;
  /** Its derivatives by each parameter there. */
  gradientAt(x: number, parameters: readonly number[]): number[];
}

export interface Observation {
  readonly x: number;
  readonly y: number;
}

const STEPS_MAX = 200;
/** A step that changes the sum of squares by less than this share is the last. */
const CONVERGED = 1e-14;
const DAMPING_START = 1e-3;
const DAMPING_MAX = 1e12;

/**
 * Descends from `start` to a local minimum of the sum of squares; parameters with `isFree` false stay where they are.
 * Returns the best that was reached.
 */
export function fitLeastSquares(
  model: Model,
  observations: readonly Observation[],
  start: readonly number[],
  isFree: readonly boolean[],
): number[] {
  const free = start.flatMap((_, index) => (isFree[index] ? [index] : []));
  let parameters = [...start];
  let squares = sumOfSquares(model, observations, parameters);
  let damping = DAMPING_START;
  for (let step = 0; step < STEPS_MAX && damping < DAMPING_MAX; step++) {
    const change = dampedStep(model, observations, parameters, free, damping);
    const next = [...parameters];
    free.forEach((parameter, index) => {
      next[parameter]! += change === null ? Number.NaN : change[index]!;
    });
    const nextSquares = sumOfSquares(model, observations, next);
    if (!(nextSquares <= squares)) {
      damping *= 4;
      continue;
    }
    const isConverged = squares - nextSquares <= CONVERGED * squares;
    parameters = next;
    squares = nextSquares;
    damping = Math.max(damping / 8, 1e-12);
    if (isConverged) break;
  }
  return parameters;
}

export function sumOfSquares(
  model: Model,
  observations: readonly Observation[],
  parameters: readonly number[],
): number {
  return observations.reduce((sum, { x, y }) => sum + (y - model.valueAt(x, parameters)) ** 2, 0);
}

/** (JᵀJ)⁻¹: times the residual variance the parameters' covariance. Null where the points do not determine them. */
export function inverseInformation(
  model: Model,
  observations: readonly Observation[],
  parameters: readonly number[],
): number[][] | null {
  const rows = observations.map(({ x }) => model.gradientAt(x, parameters));
  const { scales, matrix } = scaledNormal(rows);
  const inverse = matrix.map((_, column) =>
    solve(
      matrix,
      matrix.map((__, row) => (row === column ? 1 : 0)),
    ),
  );
  if (inverse.some((column) => column === null)) return null;
  return matrix.map((_, row) =>
    matrix.map((__, column) => inverse[column]![row]! / (scales[row]! * scales[column]!)),
  );
}

function dampedStep(
  model: Model,
  observations: readonly Observation[],
  parameters: readonly number[],
  free: readonly number[],
  damping: number,
): number[] | null {
  const rows = observations.map(({ x }) => {
    const gradient = model.gradientAt(x, parameters);
    return free.map((parameter) => gradient[parameter]!);
  });
  const residuals = observations.map(({ x, y }) => y - model.valueAt(x, parameters));
  const { scales, matrix } = scaledNormal(rows);
  const right = free.map(
    (_, column) =>
      rows.reduce((sum, row, index) => sum + row[column]! * residuals[index]!, 0) / scales[column]!,
  );
  const damped = matrix.map((row, index) =>
    row.map((value, column) => (index === column ? value + damping : value)),
  );
  return solve(damped, right)?.map((value, index) => value / scales[index]!) ?? null;
}

/** JᵀJ of columns scaled to length one, and their lengths. */
function scaledNormal(rows: readonly (readonly number[])[]): { scales: number[]; matrix: number[][] } {
  const width = rows[0]!.length;
  const columns = Array.from({ length: width }, (_, column) => rows.map((row) => row[column]!));
  const scales = columns.map((column) => Math.hypot(...column) || 1);
  const matrix = columns.map((a, i) =>
    columns.map(
      (b, j) => a.reduce((sum, value, row) => sum + value * b[row]!, 0) / (scales[i]! * scales[j]!),
    ),
  );
  return { scales, matrix };
}

/** Gaussian elimination with row pivots; null of a matrix that has no inverse. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const size = right.length;
  const rows = matrix.map((row, index) => [...row, right[index]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]!;
    if (!(Math.abs(head[column]!) > 1e-14)) return null;
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / head[column]!;
      for (let index = column; index <= size; index++) rows[row]![index]! -= factor * head[index]!;
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}

// Quantities as a person reads them: 19,888 · 470 · 1.2 million · 72.9 GiB · 0.42 ms · 18 h. Pure.

const KIB = 1024;
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const SPANS: readonly [seconds: number, unit: string][] = [
  [365 * 86_400, "years"],
  [86_400, "days"],
  [3_600, "h"],
  [60, "min"],
];

/** Exact, in groups of three. */
export function formatCount(count: number): string {
  if (count === Number.POSITIVE_INFINITY) return "unlimited";
  return String(Math.floor(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** To two digits, for what was estimated or measured: 470, 1,900, 1.2 million. */
export function formatAbout(amount: number): string {
  if (!Number.isFinite(amount)) return "unlimited";
  if (amount < 10) return String(Number(amount.toPrecision(2)));
  const scale = 10 ** (Math.floor(Math.log10(amount)) - 1);
  const rounded = Math.round(amount / scale) * scale;
  return rounded >= 1e6 ? `${formatAbout(rounded / 1e6)} million` : formatCount(rounded);
}

export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= KIB && unit < BYTE_UNITS.length - 1) {
    amount /= KIB;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1).replace(/\.0$/, "")} ${BYTE_UNITS[unit]}`;
}

/** Two digits: 0.042 ms, 4.2 ms, 420 ms. */
export function formatMs(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

/** A long time, roughly: "18 h", "3.1 days". */
export function formatSpan(seconds: number): string {
  for (const [length, unit] of SPANS)
    if (seconds >= length) return `${formatAbout(seconds / length)} ${unit}`;
  return `${formatAbout(seconds)} s`;
}

/** Two digits: 0.9 %, 37 %. */
export function formatPercent(ratio: number): string {
  const percent = ratio * 100;
  return `${Number(percent.toPrecision(2))} %`;
}

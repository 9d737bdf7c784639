// Figures as a reader of the plan sees them: three digits and a prefix, so that a line of arithmetic can be followed.

const PREFIXES: readonly (readonly [number, string])[] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** 12,345,678 as "12.3 M", with the unit behind: "12.3 MB/s". */
export function withUnit(value: number, unit: string): string {
  const [scale, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  return `${threeDigits(value / scale)} ${prefix}${unit}`;
}

/** Whole, with separators: machines, partitions, lines. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function threeDigits(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Math.abs(value) >= 1_000 ? whole(value) : String(Number(value.toFixed(Math.min(digits, 4))));
}

export function percent(share: number): string {
  return `${threeDigits(share * 100)} %`;
}

/** Seconds as a person says them. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "never";
  if (seconds < 120) return `${threeDigits(seconds)} s`;
  if (seconds < 7_200) return `${threeDigits(seconds / 60)} min`;
  return seconds < 172_800 ? `${threeDigits(seconds / 3_600)} h` : `${threeDigits(seconds / 86_400)} days`;
}

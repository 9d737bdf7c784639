// Figures for a person at a terminal, and the same forms for the README's tables.
import type { Result, Round } from "./result.ts";

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printRound(label: string, round: Round): void {
  const marks = [
    round.failures > 0 ? `${round.failures} FAILED` : "",
    round.loadCores > 0.97 ? "load-bound" : "",
    round.otherCores > 0.1 ? `others ${round.otherCores.toFixed(2)}` : "",
    round.stolenShare > 0.02 ? `${formatShare(round.stolenShare)} stolen` : "",
  ];
  print(
    [
      `  ${label.padEnd(34)}`,
      `${formatRate(round.requestsPerSecond).padStart(9)} req/s`,
      `${formatRate(round.metricsPerSecond).padStart(11)} metrics/s`,
      `${round.cpuUsPerRequest.toFixed(1).padStart(8)} µs CPU`,
      `p99 ${formatMs(round.latencyUsP99).padStart(8)}`,
      `${formatMebibytes(round.residentBytes).padStart(8)}`,
      `server ${round.serverCores.toFixed(2)}`,
      `load ${round.loadCores.toFixed(2)}`,
      ...marks.filter((mark) => mark !== ""),
    ].join("  "),
  );
}

export function formatRate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString("en");
}

export function formatMs(microseconds: number): string {
  const milliseconds = microseconds / 1000;
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
}

export function formatMebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}

export function formatKibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

export function formatShare(share: number): string {
  return `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : 2)} %`;
}

export function describeSettings(settings: Result["settings"]): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${typeof value === "number" ? value.toLocaleString("en") : value}`)
    .join(", ");
}

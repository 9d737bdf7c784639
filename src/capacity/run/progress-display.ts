// Shows a capacity run as it goes, on the standard error: a line for each part and each level; on a terminal also one
// line that is rewritten, with the part, the level, and the figures of the last quarter of a second.

import type { Level } from "../level.ts";
import { SLOT_MS } from "../load/load-result.ts";
import type { OnProgress, ProgressEvent } from "./progress.ts";

export interface ProgressDisplay {
  readonly onProgress: OnProgress;
  note(text: string): void;
  /** Takes the live line away. */
  close(): void;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = "\r\x1b[2K";

export function openProgressDisplay(stream: ProgressStream, now: () => number = Date.now): ProgressDisplay {
  const startedMs = now();
  const isLive = stream.isTTY === true;
  let hasLive = false;

  const line = (text: string): void => {
    stream.write(`${hasLive ? CLEAR_LINE : ""}${text}\n`);
    hasLive = false;
  };
  const live = (text: string): void => {
    if (!isLive) return;
    const width = (stream.columns ?? 80) - 1;
    stream.write(`${CLEAR_LINE}${text.length > width ? text.slice(0, width) : text}`);
    hasLive = true;
  };
  const elapsed = (): string => {
    const seconds = Math.round((now() - startedMs) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  return {
    onProgress(event: ProgressEvent): void {
      if (event.kind === "part") {
        const about = event.secondsAbout === null ? "" : ` (about ${Math.round(event.secondsAbout)} s)`;
        line(`${elapsed()}  ${event.text}${about}`);
      } else if (event.kind === "level") {
        line(`${elapsed()}    ${describeLevel(event.level)}`);
      } else if (event.kind === "note") {
        line(`${elapsed()}    ${event.text}`);
      } else {
        const { spec, slot } = event;
        const perSecond = slot.succeeded * (1000 / SLOT_MS);
        const failed = slot.failed > 0 ? `, ${slot.failed * (1000 / SLOT_MS)} failed/s` : "";
        const latency = slot.latencyMsMean === null ? "" : `, ${slot.latencyMsMean.toPrecision(3)} ms`;
        live(`${elapsed()}    ${spec.id}: ${perSecond} requests/s${failed}${latency}`);
      }
    },
    note: (text) => line(`${elapsed()}  ${text}`),
    close(): void {
      if (hasLive) stream.write(CLEAR_LINE);
      hasLive = false;
    },
  };
}

function describeLevel({ id, load, objective }: Level): string {
  const success = load.requests === 0 ? 0 : (load.succeeded / load.requests) * 100;
  const p99 = load.latency.percentile(0.99) / 1e6;
  const verdict =
    load.void === null
      ? objective.met
        ? "ok"
        : `missed: ${objective.misses.join(", ")}`
      : `void: ${load.void}`;
  const figures = [
    `${Math.round(load.rate)} requests/s`.padStart(18),
    `${success.toFixed(success === 100 ? 0 : 2)} %`.padStart(8),
    `p99 ${Number.isNaN(p99) ? "–" : p99.toPrecision(3)} ms`.padStart(14),
  ];
  return `${id.padEnd(16)}${figures.join(" ")}  ${verdict}`;
}

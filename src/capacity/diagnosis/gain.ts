// Predicted gains that several suspects share, each with its arithmetic as a sentence. Pure.
// A prediction is for the limiting level run again with the fix, and never past what the processor has room for.

import { gainText, rateUnitText } from "../report/figures.ts";
import type { Reading } from "./reading.ts";
import { GAIN_MIN } from "./thresholds.ts";

export interface Prediction {
  /** Null where it cannot be said. */
  readonly factor: number | null;
  /** Empty where there is nothing to say. */
  readonly sentences: readonly string[];
}

/** Something is always left of a request's time when its longest part is taken away. */
const SHARE_LEFT_MIN = 0.1;

export const NO_PREDICTION: Prediction = { factor: null, sentences: [] };

/** Everything that was asked for is answered. Null for clients without a pace: they ask for as much as they get. */
export function predictAsked(reading: Reading): Prediction {
  const asked = reading.level.plannedRate;
  const { rate } = reading.load;
  if (asked === null || rate <= 0) return NO_PREDICTION;
  const sum = `${rateUnitText(asked)} asked for ÷ ${rateUnitText(rate)} answered`;
  return predict(reading, asked / rate, sum);
}

/** `factor` comes of `sum`; the processor's room caps it. */
export function predict(reading: Reading, factor: number, sum: string): Prediction {
  const room = reading.processor.roomFactor;
  const capped = room === null ? factor : Math.min(factor, room);
  if (!Number.isFinite(capped) || capped < GAIN_MIN) return NO_PREDICTION;
  const cap =
    room !== null && room < factor
      ? `, but the processor has room for no more than ${gainText(room)} at this cost a request`
      : "";
  return {
    factor: capped,
    sentences: [`Predicted gain ${gainText(capped)}: ${sum} = ${gainText(factor)}${cap}.`],
  };
}

/** What is left when `removedMs` of every request's `wholeMs` goes away, for clients that wait for each answer. */
export function predictShorter(
  reading: Reading,
  wholeMs: number,
  removedMs: number,
  what: string,
): Prediction {
  if (reading.level.kind === "paced") return predictAsked(reading);
  if (!(wholeMs > 0) || !(removedMs > 0)) return NO_PREDICTION;
  const left = Math.max(wholeMs - removedMs, wholeMs * SHARE_LEFT_MIN);
  return predict(reading, wholeMs / left, what);
}

// A rate limit of the server's own: it answers 429 though it could do more. What the clients saw is enough to tell. Pure.

import { countText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictAsked } from "./gain.ts";
import { type Reading, shareOf } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import { FAILURES_EXPLAINED_MIN } from "./thresholds.ts";

export const RATE_LIMIT: Rule = {
  id: "rate-limit",
  title: "a rate limit",
  restsOn: ({ load }) => [{ what: "any answer of the server", value: answersOf(load.statuses) || null }],
  judge: judgeRateLimit,
};

function judgeRateLimit(reading: Reading): Opinion {
  const { load, failed } = reading;
  const limited = load.errors.rate_limited;
  const share = shareOf(reading, limited);
  const isConfirmed =
    share >= reading.harmShare / 2 && limited >= FAILURES_EXPLAINED_MIN * failed && limited > 0;
  const sentence = `${countText(limited)} of ${countText(load.requests)} requests (${shareText(share)}) were answered 429${setText(reading)}.`;
  const prediction = isConfirmed ? predictAsked(reading) : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : limited > 0 ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.97 : 0.3,
    for: limited > 0 ? [sentence, ...prediction.sentences] : [],
    against: limited > 0 ? [] : [sentence],
    predicted: prediction.factor,
    check: `Linux and macOS: curl -s -o /dev/null -w '%{http_code}\\n' ${reading.target.url} in a loop under load — 429 is the limit, and Retry-After says how long. Of a Tidemark: GET /stats, accounting.rejected.rate_limit`,
    fix: reading.target.isTidemark
      ? "--rate-limit larger, or 0 for none; it counts for each client (X-Client-Id or token), so clients that share a name share it"
      : "the limit in the server's or its proxy's configuration (nginx: limit_req), or more clients that it tells apart",
    remedy: flagsFor(
      reading,
      ["--rate-limit", "0"],
      "the limit of a server that is not ours is set in its own configuration",
    ),
  };
}

function setText({ target }: Reading): string {
  const limit = target.settings?.rateLimit;
  return typeof limit === "number" && limit > 0
    ? `; --rate-limit is ${countText(limit)} requests a second for each client`
    : "";
}

function answersOf(statuses: Readonly<Record<string, number>>): number {
  return Object.values(statuses).reduce((sum, count) => sum + count, 0);
}

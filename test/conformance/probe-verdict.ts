// What http11probe's `expected` allows, as something to compare an outcome with. The texts are a small language:
//   "400 or close", "400/405/501 or 2xx", "2xx + close", "!101", "400 or close (pass), 2xx (warn)"
// The probe expects a target whose "/" answers GET and POST with 2xx. Ours takes POST elsewhere, so 404 and 405 are its
// 2xx, provided that the framing was read right: the test asks once more on the same connection to know.

/** What a case came to: a status, or the connection's end or silence instead of an answer. */
export type Outcome = number | "close" | "timeout";

export interface Expectation {
  allows(outcome: Outcome): boolean;
  /** Silence is an allowed outcome, so it need not be waited out for long. */
  allowsTimeout: boolean;
  /** The answer must also end the connection. */
  mustClose: boolean;
}

export function expectationFrom(expected: string): Expectation {
  const forbidden = /^!(\d{3})$/.exec(expected);
  if (forbidden !== null) {
    const status = Number(forbidden[1]);
    return { allows: (outcome) => outcome !== status, allowsTimeout: true, mustClose: false };
  }
  // A warning is no pass.
  const passing = expected.replace(/,.*\(warn\)$/, "").replace(" (pass)", "");
  const mustClose = passing.endsWith(" + close");
  const words = passing.replace(" + close", "").split(/ or |\//);
  for (const word of words) {
    if (!/^(\dxx|\d{3}|close|timeout)$/.test(word))
      throw new Error(`cannot read the expectation "${expected}"`);
  }
  return {
    allows: (outcome) => words.some((word) => matches(word, outcome)),
    allowsTimeout: words.includes("timeout"),
    mustClose,
  };
}

/** Whether this outcome was counted as the probe's 2xx. */
export function isSuccess(outcome: Outcome): boolean {
  return (
    typeof outcome === "number" && (Math.floor(outcome / 100) === 2 || outcome === 404 || outcome === 405)
  );
}

function matches(word: string, outcome: Outcome): boolean {
  if (word === "2xx") return isSuccess(outcome);
  if (word === "close" || word === "timeout") return outcome === word;
  return outcome === Number(word);
}

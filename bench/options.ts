// The benchmark's command line, parsed once. Every other file gets checked values.
import { parseArgs } from "node:util";

export const SCENARIO_IDS = ["small", "large", "synced", "ladder", "memory", "restart"] as const;
export type ScenarioId = (typeof SCENARIO_IDS)[number];

export const RUNTIMES = ["bun", "node"] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface Options {
  readonly rounds: number;
  /** Measured seconds of one round of one contender; wrk takes whole seconds. */
  readonly seconds: number;
  /** Seconds of load before the measured ones, so that compilers have seen the hot code. */
  readonly warmSeconds: number;
  readonly scenarios: readonly ScenarioId[];
  readonly runtimes: readonly Runtime[];
  /** Everything as short as it goes: proves that the benchmark runs, measures nothing worth keeping. */
  readonly small: boolean;
  readonly resultsFolder: string;
  /** The script that starts tidemark; another checkout's for a before and after. */
  readonly tidemarkScript: string;
}

export const HELP = `usage: npm run bench -- [options]

  --rounds N         interleaved rounds, odd so that the median is one of them (5)
  --seconds N        measured seconds a round and contender (4)
  --warm N           seconds of load before them (2)
  --only A,B         scenarios: ${SCENARIO_IDS.join(", ")} (all)
  --runtime A,B      runtimes of tidemark: ${RUNTIMES.join(", ")} (both)
  --small            one round of one second of the scenario small; installs nothing
  --out FOLDER       where the results go (bench/results)
  --tidemark SCRIPT  what starts tidemark (scripts/tidemark.sh)
`;

/** Throws an Error with a text for a person where a flag is unknown or out of range. */
export function parseOptions(argv: readonly string[], projectFolder: string): Options | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      warm: { type: "string" },
      only: { type: "string" },
      runtime: { type: "string" },
      small: { type: "boolean", default: false },
      out: { type: "string" },
      tidemark: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const small = values.small;
  return {
    rounds: wholeNumber("--rounds", values.rounds, small ? 1 : 5),
    seconds: wholeNumber("--seconds", values.seconds, small ? 1 : 4),
    warmSeconds: wholeNumber("--warm", values.warm, small ? 1 : 2),
    scenarios: oneOf("--only", values.only, SCENARIO_IDS, small ? ["small"] : SCENARIO_IDS),
    runtimes: oneOf("--runtime", values.runtime, RUNTIMES, RUNTIMES),
    small,
    resultsFolder: values.out ?? `${projectFolder}/bench/results`,
    tidemarkScript: values.tidemark ?? `${projectFolder}/scripts/tidemark.sh`,
  };
}

function wholeNumber(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 3600) return number;
  throw new Error(`cannot use ${flag} ${text}; try a whole number from 1 to 3600`);
}

function oneOf<T extends string>(
  flag: string,
  text: string | undefined,
  known: readonly T[],
  otherwise: readonly T[],
): readonly T[] {
  if (text === undefined) return otherwise;
  return text.split(",").map((word) => {
    const found = known.find((id) => id === word);
    if (found === undefined) throw new Error(`cannot use ${flag} ${word}; try ${known.join(", ")}`);
    return found;
  });
}

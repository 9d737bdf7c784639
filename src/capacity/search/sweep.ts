// What `--sweep threads=1,2,4,8` asks for: one of our own server's settings, and the values to measure it at. Pure.
// The values themselves are judged by the server that is started with them: it knows its settings, we know their names.

import { TidemarkError } from "../../errors.ts";

export interface Sweep {
  /** Name of a `serve` flag, without its dashes. */
  readonly flag: string;
  /** In the order given, the first being what the others are compared with; none twice. */
  readonly values: readonly string[];
}

/** Each value starts a server and loads it for seconds: 16 are about a minute and a half. */
export const SWEEP_VALUES_MAX = 16;
/** Sweeps of one run. */
export const SWEEPS_MAX = 8;

const SWEEP = /^(?:--)?([a-z][a-z-]*)=(.*)$/s;
const VALUE = /^[\w.:+][\w.:+-]*$/;

/** `flags`: names that may be swept, without dashes. Throws TidemarkError with what is wrong and how it is written. */
export function parseSweep(text: string, flags: readonly string[]): Sweep {
  const [, flag, list] = SWEEP.exec(text.trim()) ?? [];
  if (flag === undefined || list === undefined)
    throw refusal(text, "it is not SETTING=VALUE,VALUE,…", "--sweep threads=1,2,4,8");
  if (!flags.includes(flag)) throw refusal(text, `serve has no --${flag} to sweep`, flags.join(", "));
  const values = list.split(",").map((value) => value.trim());
  const odd = values.find((value) => !VALUE.test(value));
  if (odd === "") throw refusal(text, "a value is empty", `--sweep ${flag}=VALUE,VALUE`);
  if (odd !== undefined)
    throw refusal(text, `'${odd}' is no value for a flag`, `--sweep ${flag}=VALUE,VALUE`);
  const repeated = values.find((value, index) => values.indexOf(value) !== index);
  if (repeated !== undefined)
    throw refusal(text, `it has ${repeated} twice`, `--sweep ${flag}=${[...new Set(values)].join(",")}`);
  if (values.length > SWEEP_VALUES_MAX)
    throw refusal(text, `it has ${values.length} values`, `at most ${SWEEP_VALUES_MAX}`);
  return { flag, values };
}

/** All of a command line's `--sweep`; each setting once. Throws TidemarkError. */
export function parseSweeps(texts: readonly string[], flags: readonly string[]): Sweep[] {
  if (texts.length > SWEEPS_MAX)
    throw new TidemarkError(`cannot run ${texts.length} sweeps at once; try at most ${SWEEPS_MAX}`, 2);
  const sweeps = texts.map((text) => parseSweep(text, flags));
  const repeated = sweeps.find(
    (sweep, index) => sweeps.findIndex(({ flag }) => flag === sweep.flag) !== index,
  );
  if (repeated !== undefined)
    throw new TidemarkError(
      `cannot sweep ${repeated.flag} twice in one run; try all its values in one --sweep ${repeated.flag}=…`,
      2,
    );
  return sweeps;
}

function refusal(text: string, why: string, instead: string): TidemarkError {
  return new TidemarkError(`cannot read --sweep '${text}' because ${why}; try ${instead}`, 2);
}

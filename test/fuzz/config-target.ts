// Settings: what an operator might write as flags, in the environment or in a YAML file, mutated. Whatever it is, it is
// either settings that are all of their kind and in their range, or refused in one printable line with exit code 2.

import assert from "node:assert/strict";
import { type Environment, environmentName, type Flags, resolveServeConfig } from "../../src/config.ts";
import { SETTINGS } from "../../src/config-settings.ts";
import { TidemarkError } from "../../src/errors.ts";
import { oneOf, type Random, wholeBetween } from "../crash/random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

export interface ConfigInput {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly yaml: string;
}

const VALUES: readonly string[] = [
  ..."0|1|8080|65535|65536|-1|+1|1e3|0x10|1.5| 5 |007|999999999999999|9999999999999999|NaN|Infinity|auto|off|on".split(
    "|",
  ),
  ..."true|false|yes|no|null|~|1MiB|1 mib|64KiB|0.5GiB|1GB|10TiB|1PiB|75s|100ms|1h|0s|1w|0.001s|3650d|1e9d".split(
    "|",
  ),
  ..."accepted|written|synced|group|each|info|silent|a=b|a=b,c=d|a=b a=c|=|a=|=b|127.0.0.1|::1|localhost|a b".split(
    "|",
  ),
  ..."./data|/|\0|\u2028|é|__proto__|constructor|toString|\x1b[31m|\r\n|%s|$x|..|-|--port".split("|"),
  "9".repeat(400),
  "x".repeat(5_000),
];
const YAML_PIECES: readonly string[] = [
  ...": |- |[|]|{|}|,|#|&a |*a|!!int |!!binary |!!set |!!omap |!x |'|\"|\\|%YAML 1.2\n|---\n|...\n|? |<<: |~".split(
    "|",
  ),
  ..."|\n|\n  |\t|>\n |@|`|\0|\ufeff|0o17|.nan|.inf|2001-12-14|1_000|{a: 1}|[1, 2]|null|!!python/object:x ".split(
    "|",
  ),
  "|\n ",
  "port: 1\n",
  "[".repeat(200),
  "{a: ".repeat(60),
  "- ".repeat(100),
];
const FILES: readonly string[] = [
  "port: 8080\nhost: 0.0.0.0\nack: synced\n",
  "token:\n  web: s3cret\n  agent: other\nrate-limit: 500\n",
  "token: [a=b, c=d]\nkeep-alive: off\nkeep-alive-timeout: 75s\n",
  '{"port": 0, "threads": "auto", "memory-max": "1GiB"}',
  "body-max: 1MiB\nbatch-max: 100\nretention-size: off\nretention-age: 7d\n# end\n",
  "port: &p 9090\nbacklog: *p\n",
  "",
];
const NAMES: readonly string[] = [...SETTINGS.map(({ name }) => name), "config", "no-such", "__proto__"];
const FLAGS_MAX = 3;
/** YAML is the slowest of the three: one input in this many. */
const FILE_EVERY = 5;
/** One that names every setting there is has the most. */
const MESSAGE_CHARACTERS_MAX = 1_000;

export const configTarget: FuzzTarget<ConfigInput> = {
  name: "settings",
  make(random) {
    if (random() < 1 / FILE_EVERY)
      return { flags: { config: "x.yaml" }, environment: {}, yaml: mutatedFile(random) };
    const entries = Array.from({ length: wholeBetween(random, 1, FLAGS_MAX) }, () => {
      return [oneOf(random, NAMES.slice(0, -3)), mutated(oneOf(random, VALUES), random)] as const;
    });
    if (random() < 0.5) return { flags: Object.fromEntries(entries), environment: {}, yaml: "" };
    const environment = Object.fromEntries(entries.map(([name, value]) => [environmentName(name), value]));
    return { flags: {}, environment, yaml: "" };
  },
  check({ flags, environment, yaml }) {
    try {
      const config = resolveServeConfig(flags, environment, () => yaml);
      checkSettings(Object.entries(config));
      return true;
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      assert.equal(error.exitCode, 2);
      assert.match(error.message, /^cannot /);
      assert.doesNotMatch(error.message, /[\p{Cc}\u2028\u2029]/u);
      assert.ok(error.message.length < MESSAGE_CHARACTERS_MAX, `a message of ${error.message.length}`);
      return false;
    }
  },
  show: (input) => JSON.stringify(input),
};

/** Of the kind that the program goes on with: it checks nothing again. */
function checkSettings(settings: readonly (readonly [string, unknown])[]): void {
  for (const [key, value] of settings) {
    if (typeof value === "number") assert.ok(Number.isSafeInteger(value) && value >= 0, `${key} is ${value}`);
    else if (typeof value === "string") assert.ok(!value.includes("\0"), key);
    else assert.ok(typeof value === "boolean" || Array.isArray(value), `${key} is ${String(value)}`);
  }
}

function mutatedFile(random: Random): string {
  let text = oneOf(random, FILES);
  if (random() < 0.5) text += `${oneOf(random, NAMES)}: ${oneOf(random, VALUES)}\n`;
  for (let times = wholeBetween(random, 0, 3); times > 0; times--) {
    const at = wholeBetween(random, 0, text.length);
    const removed = random() < 0.5 ? 0 : wholeBetween(random, 0, 8);
    text = text.slice(0, at) + oneOf(random, YAML_PIECES) + text.slice(at + removed);
  }
  return text;
}

/** A character changed, removed, put in or doubled, three times in four none. */
function mutated(value: string, random: Random): string {
  if (random() < 0.75) return value;
  const at = wholeBetween(random, 0, value.length);
  const character = String.fromCharCode(wholeBetween(random, 0, random() < 0.8 ? 0x7f : 0xffff));
  if (random() < 0.3) return value.slice(0, at) + value.slice(at + 1);
  return value.slice(0, at) + character + value.slice(at + (random() < 0.5 ? 1 : 0));
}

// The operator's settings of `serve`, resolved: a flag beats an environment variable beats the file beats the default.
// Everything is checked here, once, at start-up; what comes out is trusted everywhere. What is wrong is one line that
// names the flag, where the value was written, the value and the allowed range; no line ever shows a token.
// config-settings.ts is the table of settings, config-values.ts the shapes that they can have.
import * as v from "valibot";
import { LineCounter, parseDocument } from "yaml";
import { SETTINGS, type Setting } from "./config-settings.ts";
import { formatBytes, type Token } from "./config-values.ts";
import { TidemarkError } from "./errors.ts";
import { LINE_OVERHEAD_BYTES_MAX } from "./limits.ts";

/** What an answer of 200 promises, from weak to strong: accepted, written, synced, replicated. */
export type AckLevel = 1 | 2 | 3 | 4;
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";
export type { Token };

export interface ServeConfig {
  host: string;
  /** 0 asks the kernel for a free one. */
  port: number;
  /** Both are there, and TLS is spoken; or both are "". */
  tlsCertificatePath: string;
  tlsKeyPath: string;
  /** As it was written: relative to the working directory. */
  dataDirectory: string;
  threads: number | "auto";
  ack: AckLevel;
  /** A write for each batch, instead of one for all that came together. */
  writesEach: boolean;
  /** Requests per second and client; 0 is no limit. */
  rateLimit: number;
  backlog: number;
  keepAlive: boolean;
  keepAliveTimeoutMs: number;
  bodyBytesMax: number;
  batchMetricsMax: number;
  connectionsMax: number | "auto";
  memoryBytesMax: number;
  /** Where it is empty anybody may write. Names are unique, and so are secrets. */
  tokens: Token[];
  segmentBytesMax: number;
  segmentAgeMsMax: number;
  /** 0 keeps segments however old they are. */
  retentionAgeMs: number;
  /** 0 keeps segments however much they hold. */
  retentionBytes: number;
  /** Of sealed segments read again in the background; 0 for none. */
  scrubBytesPerS: number;
  /** Servers of the NATS cluster that the log is sent to, credentials in them included; none: it stays here. */
  replicate: string[];
  stream: string;
  replicas: number;
  partitions: number;
  /** 0 for as much as the NATS servers have. */
  streamBytesMax: number;
  /** 0 for ever. */
  streamAgeMsMax: number;
  /** "" for the machine's name. */
  node: string;
  natsUser: string;
  natsPassword: string;
  natsToken: string;
  natsNkeyPath: string;
  natsCredsPath: string;
  natsCaPath: string;
  natsCertificatePath: string;
  natsKeyPath: string;
  /** "prometheus=URL", a user and password in it included; "" for none. */
  forward: string;
  /** Of the cursor and the dead letters. */
  forwardName: string;
  forwardConnections: number;
  /** "Name: value", one a line. */
  forwardHeaders: string;
  forwardBearerToken: string;
  forwardBearerTokenPath: string;
  forwardBasicAuthPath: string;
  forwardCaPath: string;
  logLevel: LogLevel;
}

/** Flags by setting name as the command line gives them, and "config", the file's path. */
export type Flags = Readonly<Record<string, string | readonly string[] | undefined>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** One value as the operator wrote it. `from` is "" for a flag, else " from TIDEMARK_PORT" or " from port in x.yaml". */
interface Written {
  readonly value: unknown;
  readonly from: string;
}

interface SettingsFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export function environmentName(setting: string): string {
  return `TIDEMARK_${setting.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * The settings that `serve` runs with. Pure apart from `readFile`, which is called once where a file is named.
 * Throws a TidemarkError with exit code 2, one line for the operator.
 */
export function resolveServeConfig(
  flags: Flags,
  environment: Environment,
  readFile: (path: string) => string,
): ServeConfig {
  const file = readSettingsFile(flags, environment, readFile);
  const values = SETTINGS.map((setting) => {
    const written = findWritten(setting, flags, environment, file);
    return [
      setting.key,
      written === undefined ? defaultOf(setting) : parseWritten(setting, written),
    ] as const;
  });
  const config = Object.fromEntries(values) as unknown as ServeConfig;
  checkTogether(config);
  return config;
}

/** The flags' names of those settings that differ. */
export function changedSettings(before: ServeConfig, after: ServeConfig): string[] {
  return SETTINGS.filter(({ key }) => JSON.stringify(before[key]) !== JSON.stringify(after[key])).map(
    ({ name }) => name,
  );
}

/** Every setting at its default. */
export const SERVE_DEFAULTS: Readonly<ServeConfig> = resolveServeConfig({}, {}, () => "");

function readSettingsFile(
  flags: Flags,
  environment: Environment,
  readFile: (path: string) => string,
): SettingsFile | undefined {
  const path = flags.config ?? (environment.TIDEMARK_CONFIG || undefined);
  if (typeof path !== "string") return undefined;
  const values = parseSettings(path, readSettings(path, readFile));
  for (const key of Object.keys(values)) {
    if (!SETTINGS.some((setting) => setting.name === key)) {
      throw badUsage(
        `cannot use ${showValue(key.split("=")[0])} in ${path} because there is no such setting; try one of ${SETTINGS.map((setting) => setting.name).join(", ")}`,
      );
    }
  }
  return { path, values };
}

function readSettings(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such file" : (code ?? String(error));
    throw badUsage(`cannot read --config ${path} because ${why}`);
  }
}

/** YAML's own messages quote the text around a fault, which may be a token; so only their kind and place are told. */
function parseSettings(path: string, text: string): Record<string, unknown> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const place = lines.linePos(fault.pos[0]);
    const kind = fault.code.toLowerCase().replaceAll("_", " ");
    throw badUsage(
      `cannot read --config ${path} because line ${place.line}, column ${place.col} is not YAML (${kind})`,
    );
  }
  const content: unknown = toPlain(path, document);
  if (content === null) return {};
  if (typeof content !== "object" || Array.isArray(content)) {
    throw badUsage(
      `cannot read --config ${path} because it must be lines of "setting: value", such as "port: 8080"`,
    );
  }
  return content as Record<string, unknown>;
}

function toPlain(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw badUsage(`cannot read --config ${path} because it uses YAML aliases; write the value out`);
  }
}

function findWritten(
  setting: Setting,
  flags: Flags,
  environment: Environment,
  file: SettingsFile | undefined,
): Written | undefined {
  const flag = flags[setting.name];
  if (flag !== undefined) return { value: flag, from: "" };
  const variable = environmentName(setting.name);
  // An empty variable is how a shell or a compose file says "not set".
  if (environment[variable]) return { value: environment[variable], from: ` from ${variable}` };
  if (file !== undefined && Object.hasOwn(file.values, setting.name)) {
    return { value: file.values[setting.name], from: ` from ${setting.name} in ${file.path}` };
  }
  return undefined;
}

function parseWritten(setting: Setting, written: Written): unknown {
  const result = v.safeParse(setting.schema, written.value);
  if (result.success) return result.output;
  const value = SECRETS.has(setting.key) ? "(not shown)" : showValue(written.value);
  throw badUsage(`cannot use --${setting.name} ${value}${written.from} because ${result.issues[0].message}`);
}

function defaultOf(setting: Setting): unknown {
  return v.parse(setting.schema, setting.byDefault);
}

/** What each setting's own range cannot say. */
function checkTogether(config: ServeConfig): void {
  if ((config.tlsCertificatePath === "") !== (config.tlsKeyPath === "")) {
    const [given, missing] =
      config.tlsKeyPath === "" ? ["--tls-cert", "--tls-key"] : ["--tls-key", "--tls-cert"];
    throw badUsage(`cannot use ${given} because TLS needs a certificate and its key; give ${missing} too`);
  }
  // A batch is held twice at most: its body, and the lines made from it.
  const batchBytes = 2 * config.bodyBytesMax + config.batchMetricsMax * LINE_OVERHEAD_BYTES_MAX;
  if (batchBytes > config.memoryBytesMax) {
    throw badUsage(
      `cannot use --memory-max ${formatBytes(config.memoryBytesMax)} because one batch of ` +
        `--body-max ${formatBytes(config.bodyBytesMax)} and --batch-max ${config.batchMetricsMax} may need ` +
        `${formatBytes(batchBytes)}; raise the first or lower the others`,
    );
  }
  if (config.ack === 4 && config.replicate.length === 0)
    throw badUsage(
      "cannot use --ack replicated because the log is not replicated; give --replicate nats://… too",
    );
  if ((config.natsCertificatePath === "") !== (config.natsKeyPath === ""))
    throw badUsage("cannot use --nats-cert or --nats-key alone because the one needs the other; give both");
  if (config.retentionBytes !== 0 && config.retentionBytes < config.segmentBytesMax) {
    throw badUsage(
      `cannot use --retention-size ${formatBytes(config.retentionBytes)} because it must be off or at least ` +
        `--segment-size ${formatBytes(config.segmentBytesMax)}: only whole files are deleted`,
    );
  }
}

/** Settings that hold secrets, or may. */
const SECRETS: ReadonlySet<keyof ServeConfig> = new Set([
  "tokens",
  "replicate",
  "natsPassword",
  "natsToken",
  "forward",
  "forwardHeaders",
  "forwardBearerToken",
]);

const SHOWN_CHARACTERS_MAX = 80;

/** What a terminal or a reader of lines takes for more than a character; JSON escapes only some of it. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** On one line and of bounded length, whatever was written. */
function showValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const escaped = (found: string) => `\\u{${found.codePointAt(0)!.toString(16)}}`;
  const plain = /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text).replace(UNPRINTABLE, escaped);
  return plain.length <= SHOWN_CHARACTERS_MAX ? plain : `${plain.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

function badUsage(message: string): TidemarkError {
  return new TidemarkError(message, 2);
}

// Where the log goes and how to get in there: what an operator can say of it, whichever command asks. Secrets come with the
// address, from a file or from the environment; none of them is ever in a message or in the log.

import { readFileSync } from "node:fs";
import { TidemarkError } from "../errors.ts";

export interface ForwardSettings {
  /** http or https, without a user. */
  url: URL;
  /** Fields of every request; their values may be secrets. */
  headers: Readonly<Record<string, string>>;
  /** The field that says who we are, or none; read from its file again when the store has said 401. */
  authorization(): Record<string, string>;
  forgetAuthorization(): void;
  /** PEM of the authority that signed the store's certificate; "" for the system's. */
  ca: string;
  connections: number;
  batchSamples: number;
  timeoutMs: number;
  /** How long the store may keep what it has taken in memory; null: as long as VictoriaMetrics does, if it is one. */
  resendMs: number | null;
  /** Names the cursor, the dead letters and the lock. */
  name: string;
}

/** `prometheus=URL`: the address, and who we are where it says so. Throws TidemarkError; `flag` is where it was said. */
export function parseTarget(flag: string, text: string): { url: URL; userAndPassword: string } {
  const [, kind, address] = /^([a-z]+)=(.*)$/s.exec(text.trim()) ?? [];
  if (kind !== "prometheus")
    throw wrong(`cannot use ${flag} because it must say what to forward to: prometheus=URL`);
  const url = URL.parse(address!);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "")
    throw wrong(
      `cannot use ${flag} because its URL is none of http or https; try prometheus=http://127.0.0.1:8428/api/v1/write`,
    );
  const userAndPassword =
    url.username === "" ? "" : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  url.hash = "";
  // The address of a store is no address of its remote write, which all of them have somewhere else.
  if (url.pathname === "/")
    throw wrong(
      `cannot use ${flag} because its URL ends behind the host; remote write is at /api/v1/write (Prometheus, VictoriaMetrics), /api/v1/push (Mimir) or /api/v1/receive (Thanos)`,
    );
  return { url, userAndPassword };
}

/** "Name: value" each. Values are not shown where they are wrong: they may be secrets. */
export function parseHeaders(flag: string, texts: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/.exec(text) ?? [];
    if (name === undefined)
      throw wrong(`cannot use ${flag} because it must be 'Name: value', in one line of Latin letters`);
    if (OWN_HEADERS.test(name))
      throw wrong(`cannot use ${flag} ${name} because the forwarder sets it itself`);
    headers[name] = value!;
  }
  return headers;
}

const OWN_HEADERS = /^(content-.*|transfer-encoding|connection|host|x-prometheus-remote-write-version)$/i;

/** As an operator wrote it; "" is nothing. */
export interface WrittenSettings {
  /** "prometheus=URL" */
  target: string;
  headers: readonly string[];
  bearerToken: string;
  /** Paths. */
  bearerTokenFile: string;
  basicAuthFile: string;
  ca: string;
  connections: number;
  batchSamples: number;
  timeoutMs: number;
  resendMs: number | null;
  name: string;
}

/** What the flags are called where it was written: "--to", or "--forward"; and what stands before the others' names. */
export interface FlagNames {
  target: string;
  prefix: string;
}

/** Reads the files that are named, so that a wrong path is told at the start. Throws TidemarkError with exit code 2. */
export function forwardSettings(written: WrittenSettings, { target, prefix }: FlagNames): ForwardSettings {
  const { url, userAndPassword } = parseTarget(target, written.target);
  const { connections, batchSamples, timeoutMs, resendMs, name } = written;
  return {
    url,
    headers: parseHeaders(`${prefix}header`, written.headers),
    ...authorizationFrom({ ...written, userAndPassword }, prefix),
    ca: written.ca === "" ? "" : readText(`${prefix}ca`, written.ca),
    connections,
    batchSamples,
    timeoutMs,
    resendMs,
    name,
  };
}

type Credentials = Pick<WrittenSettings, "bearerToken" | "bearerTokenFile" | "basicAuthFile"> & {
  userAndPassword: string;
};

/** The Authorization of each request. */
export function authorizationFrom(
  credentials: Credentials,
  prefix: string,
): Pick<ForwardSettings, "authorization" | "forgetAuthorization"> {
  const { userAndPassword, basicAuthFile, bearerToken, bearerTokenFile } = credentials;
  if ([userAndPassword, basicAuthFile, bearerToken, bearerTokenFile].filter((way) => way !== "").length > 1)
    throw wrong(
      "cannot say who we are in two ways; leave all but one of the URL's user, the file and the token",
    );
  const read = (): Record<string, string> => {
    if (userAndPassword !== "") return basic(userAndPassword);
    if (basicAuthFile !== "") return basic(readSecret(`${prefix}basic-auth-file`, basicAuthFile));
    if (bearerToken !== "") return { Authorization: `Bearer ${bearerToken}` };
    if (bearerTokenFile !== "")
      return { Authorization: `Bearer ${readSecret(`${prefix}bearer-token-file`, bearerTokenFile)}` };
    return {};
  };
  let known: Record<string, string> | null = read();
  return {
    authorization() {
      known ??= read();
      return known;
    },
    forgetAuthorization() {
      const before = known;
      try {
        known = read();
      } catch {
        // It is being replaced; what was read before is no worse.
        known = before;
      }
    },
  };
}

function basic(userAndPassword: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(userAndPassword).toString("base64")}` };
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw wrong(`cannot read ${flag} ${path} because of ${(error as NodeJS.ErrnoException).code}`);
  }
}

function readSecret(flag: string, path: string): string {
  const text = readText(flag, path).trim();
  if (text === "" || /[^\x20-\x7e]/.test(text))
    throw wrong(
      `cannot use ${flag} ${path} because it must hold one line of Latin letters, digits and signs`,
    );
  return text;
}

/** An address as it may be shown: without what a query may hold. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

function wrong(text: string): TidemarkError {
  return new TidemarkError(text, 2);
}

// Opens a connection to a NATS cluster, and says in words what is in the way. It reconnects for good by itself; what was
// under way when the connection broke fails, and is its owner's to try again.
// The client library is loaded here and where its streams are used, and nowhere in a server that does not replicate.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { TidemarkError } from "../errors.ts";
import { NATS_CONNECT_MS_MAX, NATS_RECONNECT_MS } from "../limits.ts";
import { type NatsSettings, showServers } from "./nats-settings.ts";

/** Throws TidemarkError: what is wrong, and the setting to change. `name` is what the server's own lists show of us. */
export async function openNats(settings: NatsSettings, name: string): Promise<NatsConnection> {
  const options = connectionOptions(settings, name);
  try {
    return await connect(options);
  } catch (error) {
    throw new TidemarkError(describeConnectFailure(error, settings));
  }
}

function connectionOptions(settings: NatsSettings, name: string): NodeConnectionOptions {
  const { servers, caPath, certificatePath, keyPath } = settings;
  const authenticator = authenticatorOf(settings);
  const files = { ...fileAs("ca", caPath), ...fileAs("cert", certificatePath), ...fileAs("key", keyPath) };
  // It hands them all on to the runtime, though its type knows only the files.
  const tls = { ...files, checkServerIdentity: identityCheck(servers) } as TlsOptions;
  return {
    servers: servers.map((server) => server.replace(/\/\/[^@]*@/, "//")),
    name,
    timeout: NATS_CONNECT_MS_MAX,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: NATS_RECONNECT_MS,
    ignoreAuthErrorAbort: true,
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(authenticator.length > 0 ? { authenticator } : {}),
    ...(speaksTls(settings) ? { tls } : {}),
  };
}

/** Where it is asked for; otherwise the server decides. */
function speaksTls({ servers, caPath, certificatePath }: NatsSettings): boolean {
  return caPath !== "" || certificatePath !== "" || servers.some((server) => server.startsWith("tls:"));
}

/**
 * The library names no host where a server is given by its address, and Node then asks the certificate for "localhost": it has
 * to be for one of the addresses that were given.
 */
function identityCheck(servers: readonly string[]) {
  const hosts = servers.map((server) => new URL(server).hostname.replace(/^\[|\]$/g, ""));
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const asked = host === "localhost" && addresses.length > 0 ? [...addresses] : [host];
    if (hosts.includes(host)) asked.push(host);
    const faults = asked.map((name) => checkServerIdentity(name, certificate));
    return faults.includes(undefined) ? undefined : faults[0];
  };
}

function authenticatorOf({
  servers,
  user,
  password,
  token,
  nkeyPath,
  credsPath,
}: NatsSettings): Authenticator[] {
  const found: Authenticator[] = [];
  const inUrl = /\/\/([^@:]*)(?::([^@]*))?@/.exec(servers.find((server) => server.includes("@")) ?? "");
  if (credsPath !== "") found.push(credsAuthenticator(readSecret(credsPath, "--nats-creds")));
  if (nkeyPath !== "") found.push(nkeyAuthenticator(seedIn(readSecret(nkeyPath, "--nats-nkey"))));
  if (user !== "") found.push(usernamePasswordAuthenticator(user, password));
  else if (token !== "") found.push(tokenAuthenticator(token));
  else if (inUrl?.[2] !== undefined)
    found.push(usernamePasswordAuthenticator(decodeURIComponent(inUrl[1]!), decodeURIComponent(inUrl[2])));
  else if (inUrl !== null) found.push(tokenAuthenticator(decodeURIComponent(inUrl[1]!)));
  return found;
}

/** The seed's line: a file of `nk -gen user` may have others around it. */
function seedIn(text: Uint8Array): Uint8Array {
  const seed = /\bS[A-Z0-9]{20,}\b/.exec(Buffer.from(text).toString("latin1"))?.[0];
  if (seed === undefined)
    throw new TidemarkError(
      "cannot use --nats-nkey because the file holds no nkey seed (SU…); see nk -gen user",
      2,
    );
  return Buffer.from(seed);
}

function readSecret(path: string, flag: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new TidemarkError(`cannot read ${flag} ${path} because ${whyUnreadable(error)}`, 2);
  }
}

function fileAs(key: "ca" | "cert" | "key", path: string): Record<string, string> {
  if (path === "") return {};
  const flag = { ca: "--nats-ca", cert: "--nats-cert", key: "--nats-key" }[key];
  const text = Buffer.from(readSecret(path, flag)).toString("utf8");
  const kind = key === "key" ? "private key" : "certificate";
  if (!/^-----BEGIN [A-Z ]+-----/m.test(text) || !text.includes(kind.toUpperCase()))
    throw new TidemarkError(`cannot use ${flag} ${path} because the file holds no ${kind} (PEM)`, 2);
  return { [key]: text };
}

function whyUnreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "there is no such file" : (code ?? String(error));
}

/** What is in the way, and the setting to change. The library's errors nest: the cause says more. */
export function describeConnectFailure(error: unknown, settings: NatsSettings): string {
  if (error instanceof TidemarkError) return error.message;
  const texts: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    texts.push(`${at.name} ${(at as NodeJS.ErrnoException).code ?? ""} ${at.message}`);
  const text = texts.join("; ");
  const where = showServers(settings.servers);
  if (/authorization|authentication|AuthorizationError|nkey|jwt/i.test(text))
    return `cannot use NATS at ${where} because it does not take our credentials; try --nats-user and --nats-password, --nats-token, --nats-nkey or --nats-creds`;
  if (/KEY_VALUES_MISMATCH|key values mismatch/i.test(text))
    return "cannot use --nats-cert and --nats-key because the key is not the certificate's; give the two that belong together";
  if (/altname/i.test(text))
    return `cannot use NATS at ${where} because its certificate is for another name or address; check the address, or have a certificate made for it`;
  if (/certificate|self.signed|CERT|issuer/i.test(text))
    return `cannot use NATS at ${where} because its certificate cannot be verified; try --nats-ca with the authority that signed it`;
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo/i.test(text))
    return `cannot reach NATS at ${where} because the name is not known; check the address`;
  if (/tls|ssl|wrong version/i.test(text))
    return `cannot use NATS at ${where} because one side speaks TLS and the other does not, or it asks for a certificate of ours; try tls:// with --nats-ca, --nats-cert and --nats-key`;
  if (/refused|ECONNRESET|CONNECTION_REFUSED|closed/i.test(text))
    return `cannot reach NATS at ${where} because nothing listens there; check the address, and that nats-server runs`;
  // A server that asks for a certificate says so only when the handshake is over, and hangs up: neither runtime tells.
  if (/timeout|timed out/i.test(text))
    return `cannot reach NATS at ${where} because it did not answer within ${NATS_CONNECT_MS_MAX / 1000} s; check the address${speaksTls(settings) ? ", and --nats-cert and --nats-key where it asks for a certificate of ours" : ""}`;
  return `cannot reach NATS at ${where} because of ${texts[0] ?? String(error)}`;
}

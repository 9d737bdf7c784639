// What --tls-cert and --tls-key name, read and checked: on the main thread, at start and again on SIGHUP, so that a file
// that would fail every handshake is refused in one line before any thread has it. Nothing of the key is ever shown:
// libraries' own messages are not passed on, only their kind.

import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { TidemarkError } from "../errors.ts";
import type { TlsIdentity } from "../net/transport.ts";

export interface CheckedIdentity {
  readonly identity: TlsIdentity;
  /** SHA-256 of the server's own certificate, in hexadecimal. */
  readonly fingerprint: string;
  readonly validUntil: string;
  /** What an operator should know although it is served. */
  readonly warnings: readonly string[];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const TICKET_KEY_BYTES = 48;

/** Null where no TLS is asked for. Throws TidemarkError with exit code 2, one line for the operator. */
export function readIdentity(
  paths: { readonly tlsCertificatePath: string; readonly tlsKeyPath: string },
  readFile: (path: string) => string,
  nowMs: number,
): CheckedIdentity | null {
  const { tlsCertificatePath: certificatePath, tlsKeyPath: keyPath } = paths;
  if (certificatePath === "" && keyPath === "") return null;
  const certificate = readText("--tls-cert", certificatePath, readFile);
  const chain = parseChain(certificatePath, certificate);
  const key = readText("--tls-key", keyPath, readFile);
  const privateKey = parseKey(keyPath, key);
  const own = chain[0]!;
  if (!own.checkPrivateKey(privateKey)) {
    throw badFile(
      "--tls-key",
      keyPath,
      `it is not the key of the certificate in ${certificatePath}`,
      "the key that the certificate was made for",
    );
  }
  const identity = { certificate, key, ticketKeys: randomBytes(TICKET_KEY_BYTES) };
  checkUsable(certificatePath, identity);
  return {
    identity,
    fingerprint: own.fingerprint256.replaceAll(":", "").toLowerCase(),
    validUntil: new Date(own.validTo).toISOString(),
    warnings: datesOf(chain, certificatePath, nowMs),
  };
}

function readText(flag: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "it cannot be read";
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EACCES"
          ? "this user may not read it"
          : code === "EISDIR"
            ? "it is a folder"
            : code;
    throw badFile(flag, path, why, "the path of a PEM file that this user may read");
  }
}

function parseChain(path: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw badFile(
      "--tls-cert",
      path,
      "it holds no certificate in PEM form",
      "a file with -----BEGIN CERTIFICATE-----",
    );
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw badFile(
        "--tls-cert",
        path,
        `its certificate number ${index + 1} is damaged`,
        "a whole copy of it",
      );
    }
  });
}

function parseKey(path: string, text: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw badFile(
      "--tls-key",
      path,
      "the key is encrypted",
      "openssl pkey -in FILE -out NEWFILE, readable by this user alone",
    );
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw badFile(
      "--tls-key",
      path,
      "it holds no private key in PEM form",
      "a file with -----BEGIN PRIVATE KEY-----",
    );
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw badFile(
      "--tls-key",
      path,
      "its private key is damaged or of an unknown kind",
      "a whole copy, or another kind (EC P-256, RSA)",
    );
  }
}

/** The TLS library's own last word: a key that is too short, say. */
function checkUsable(path: string, identity: TlsIdentity): void {
  try {
    createSecureContext({ cert: identity.certificate, key: identity.key, minVersion: "TLSv1.2" });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw badFile("--tls-cert", path, `the TLS library refuses it (${code})`, "a newer certificate and key");
  }
}

function datesOf(chain: readonly X509Certificate[], path: string, nowMs: number): string[] {
  return chain.flatMap((certificate, index) => {
    const which = index === 0 ? "the certificate" : `certificate number ${index + 1}`;
    if (Date.parse(certificate.validTo) < nowMs)
      return [`${which} in ${path} has expired: clients will refuse it; renew it and send SIGHUP`];
    if (Date.parse(certificate.validFrom) > nowMs)
      return [`${which} in ${path} is not valid yet: clients will refuse it; check the clock`];
    return [];
  });
}

function badFile(flag: string, path: string, why: string, remedy: string): TidemarkError {
  return new TidemarkError(`cannot use ${flag} ${path} because ${why}; try ${remedy}`, 2);
}

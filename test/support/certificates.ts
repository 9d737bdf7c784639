// Certificates for tests, made by the openssl program: Node and Bun cannot make any. Where it is not installed the tests
// that need them are not registered, and say so.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface MadeCertificate {
  readonly certificatePath: string;
  readonly keyPath: string;
  readonly certificate: string;
  readonly key: string;
}

export const HAS_OPENSSL = hasOpenssl();
if (!HAS_OPENSSL) console.error("openssl is not installed: tests of TLS are left out");

const folders: string[] = [];
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, removed when the test process ends. */
export function newCertificateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-tls-"));
  folders.push(folder);
  return folder;
}

/** Self-signed for 127.0.0.1, elliptic curve, good for 30 days; replaces what has that name. */
export function makeCertificate(folder: string, name: string): MadeCertificate {
  const certificatePath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`;
  execFileSync("openssl", [...words.split(" "), "-keyout", keyPath, "-out", certificatePath], {
    stdio: "ignore",
  });
  return {
    certificatePath,
    keyPath,
    certificate: readFileSync(certificatePath, "utf8"),
    key: readFileSync(keyPath, "utf8"),
  };
}

/** The same key, encrypted. */
export function encryptKey(folder: string, { keyPath }: MadeCertificate): string {
  const path = join(folder, "encrypted.key");
  execFileSync("openssl", ["pkey", "-in", keyPath, "-aes256", "-passout", "pass:wrong", "-out", path]);
  return path;
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

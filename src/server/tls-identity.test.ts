// What the operator is told of a certificate and a key that cannot be used: one line with what to try, nothing of the key.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  encryptKey,
  HAS_OPENSSL,
  makeCertificate,
  newCertificateFolder,
} from "../../test/support/certificates.ts";
import { TidemarkError } from "../errors.ts";
import { readIdentity } from "./tls-identity.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const read = (path: string): string => readFileSync(path, "utf8");

/** The one line that the operator gets. */
function refusal(certificatePath: string, keyPath: string): string {
  try {
    readIdentity({ tlsCertificatePath: certificatePath, tlsKeyPath: keyPath }, read, Date.now());
  } catch (error) {
    assert.ok(error instanceof TidemarkError, String(error));
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /^cannot use --tls-(cert|key) \S+ because [^\n]+; try [^\n]+$/);
    return error.message;
  }
  assert.fail("nothing was refused");
}

if (HAS_OPENSSL) {
  describe("a certificate and its key", () => {
    const folder = newCertificateFolder();
    const good = makeCertificate(folder, "good");
    const other = makeCertificate(folder, "other");
    const secret = good.key.split("\n")[1]!;
    const { certificatePath, keyPath } = good;
    const fileOf = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };

    test("are taken where they fit, alone or as a chain", () => {
      const chainPath = fileOf("chain.crt", `${good.certificate}\n${other.certificate}`);
      const alone = readIdentity(
        { tlsCertificatePath: certificatePath, tlsKeyPath: keyPath },
        read,
        Date.now(),
      )!;
      const chain = readIdentity({ tlsCertificatePath: chainPath, tlsKeyPath: keyPath }, read, Date.now())!;
      assert.equal(alone.fingerprint, chain.fingerprint);
      assert.match(alone.fingerprint, /^[0-9a-f]{64}$/);
      assert.deepEqual(alone.warnings, []);
      assert.notDeepEqual(alone.identity.ticketKeys, chain.identity.ticketKeys);
      assert.equal(readIdentity({ tlsCertificatePath: "", tlsKeyPath: "" }, read, Date.now()), null);
    });

    test("are served although they have expired or are not valid yet, with a warning", () => {
      const at = (nowMs: number) =>
        readIdentity({ tlsCertificatePath: certificatePath, tlsKeyPath: keyPath }, read, nowMs)!.warnings;
      assert.match(at(Date.now() + 31 * DAY_MS)[0]!, /expired.*SIGHUP/);
      assert.match(at(Date.now() - DAY_MS)[0]!, /not valid yet/);
    });

    test("are refused where they do not fit, with what to try", () => {
      assert.match(refusal(certificatePath, other.keyPath), /not the key of the certificate/);
      assert.match(refusal(certificatePath, encryptKey(folder, good)), /encrypted.*openssl pkey/);
      assert.match(refusal(join(folder, "none"), keyPath), /--tls-cert .* no such file/);
      assert.match(refusal(certificatePath, folder), /--tls-key .* because/);
      assert.match(refusal(keyPath, keyPath), /no certificate in PEM/);
      assert.match(refusal(certificatePath, certificatePath), /no private key in PEM/);
      assert.match(refusal(certificatePath, fileOf("empty.key", "")), /no private key/);
    });

    test("are refused where they are damaged, and nothing of the key is shown", () => {
      const cut = good.key.replace(secret, secret.slice(0, 20));
      const messages = [
        refusal(certificatePath, fileOf("cut.key", cut)),
        refusal(fileOf("cut.crt", good.certificate.replace(/\n[^\n]{20}/, "\n")), keyPath),
        refusal(certificatePath, fileOf("swapped.key", good.key.replaceAll("PRIVATE", "SECRET"))),
      ];
      assert.match(messages[0]!, /damaged/);
      assert.match(messages[1]!, /number 1 is damaged/);
      for (const message of messages) assert.ok(!message.includes(secret.slice(0, 12)));
    });
  });
}

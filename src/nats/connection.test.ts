// What can be told before any server is asked: files that are missing or hold something else.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { TidemarkError } from "../errors.ts";
import { openNats } from "./connection.ts";
import { type NatsSettings, NO_CREDENTIALS } from "./nats-settings.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-nats-files-"));
after(() => rmSync(root, { recursive: true, force: true }));
const SECRET = "hunter2hunter2";
const other = join(root, "other");
writeFileSync(other, `${SECRET}\n`);
const none = join(root, "none");

async function refusalOf(settings: Partial<NatsSettings>): Promise<string> {
  const whole = { ...NO_CREDENTIALS, servers: [`nats://ann:${SECRET}@127.0.0.1:1`], ...settings };
  const error = await openNats(whole, "test").then(
    () => assert.fail("nothing was refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TidemarkError, String(error));
  assert.doesNotMatch(error.message, /hunter2|\n/);
  return error.message;
}

describe("a connection to NATS", () => {
  const paths: Record<string, keyof NatsSettings> = {
    "--nats-nkey": "nkeyPath",
    "--nats-creds": "credsPath",
    "--nats-ca": "caPath",
    "--nats-cert": "certificatePath",
    "--nats-key": "keyPath",
  };
  for (const [flag, key] of Object.entries(paths)) {
    test(`whose ${flag} is not there is refused by the flag and the path`, async () => {
      assert.equal(
        await refusalOf({ [key]: none }),
        `cannot read ${flag} ${none} because there is no such file`,
      );
    });
  }

  for (const [flag, what] of [
    ["--nats-ca", "certificate"],
    ["--nats-cert", "certificate"],
    ["--nats-key", "private key"],
  ] as const) {
    test(`whose ${flag} holds something else is refused, and nothing of it is shown`, async () => {
      assert.equal(
        await refusalOf({ [paths[flag]!]: other }),
        `cannot use ${flag} ${other} because the file holds no ${what} (PEM)`,
      );
    });
  }

  test("whose nkey is no seed is refused, and nothing of it is shown", async () => {
    assert.match(
      await refusalOf({ nkeyPath: other }),
      /^cannot use --nats-nkey because the file holds no nkey seed/,
    );
  });

  test("to where nothing listens is refused by the address, without what stands before an @", async () => {
    assert.equal(
      await refusalOf({}),
      "cannot reach NATS at nats://127.0.0.1:1 because nothing listens there; check the address, and that nats-server runs",
    );
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "commander";
import { TidemarkError } from "../errors.ts";
import { NO_CREDENTIALS } from "../nats/nats-settings.ts";
import { addNatsFlags, type NatsFlags, readNatsSettings } from "./nats-flags.ts";

const SERVER = "nats://127.0.0.1:4222";

function readWords(words: readonly string[], environment = {}) {
  const command = addNatsFlags(new Command("x").exitOverride());
  command.parse(words, { from: "user" });
  return readNatsSettings("--nats", SERVER, command.opts<NatsFlags>(), environment);
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TidemarkError);
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  assert.fail("was taken");
}

describe("the flags of NATS", () => {
  test("are all empty where nothing is said", () => {
    assert.deepEqual(readWords([]), { servers: [SERVER], ...NO_CREDENTIALS });
  });

  test("are read from the command line, and else from the environment", () => {
    const environment = {
      TIDEMARK_NATS_USER: "ann",
      TIDEMARK_NATS_PASSWORD: "secret",
      TIDEMARK_NATS_CA: "b.pem",
    };
    const settings = readWords(["--nats-user", "eve", "--nats-ca", "a.pem"], environment);
    assert.deepEqual(settings, {
      ...NO_CREDENTIALS,
      servers: [SERVER],
      user: "eve",
      password: "secret",
      caPath: "a.pem",
    });
  });

  test("reach every setting", () => {
    const words = ["nkey", "creds", "ca", "cert", "key", "token"].flatMap((name) => [`--nats-${name}`, name]);
    assert.deepEqual(readWords(words), {
      servers: [SERVER],
      user: "",
      password: "",
      token: "token",
      nkeyPath: "nkey",
      credsPath: "creds",
      caPath: "ca",
      certificatePath: "cert",
      keyPath: "key",
    });
  });

  test("refuse a wrong address in words, and do not show the password in it", () => {
    for (const address of ["127.0.0.1:4222", "http://127.0.0.1", "nats://", "nats://a:b:c", ""])
      assert.match(
        refusal(() => readNatsSettings("--agents", address, {}, {})),
        /^cannot use --agents ".*" because it is no address of NATS; try nats:\/\//,
      );
    const text = refusal(() => readNatsSettings("--agents", "http://zelda:hun/ter2@host", {}, {}));
    assert.doesNotMatch(text, /ter2|zelda|hun/);
    assert.match(text, /host/);
  });

  test("refuse what only works with another, without it", () => {
    assert.match(
      refusal(() => readWords(["--nats-password", "x"])),
      /--nats-user/,
    );
    assert.match(
      refusal(() => readWords(["--nats-user", "a", "--nats-token", "b"])),
      /leave one out/,
    );
    assert.match(
      refusal(() => readWords(["--nats-cert", "a.pem"])),
      /--nats-key/,
    );
    assert.match(
      refusal(() => readWords(["--nats-key", "a.pem"])),
      /--nats-cert/,
    );
  });
});

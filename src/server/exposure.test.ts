// Who else could read the secrets and the data: what is warned of, and what is nobody's business.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SERVE_DEFAULTS } from "../config.ts";
import { exposureWarnings } from "./exposure.ts";

const CONFIG = { ...SERVE_DEFAULTS, tokens: [{ name: "web", token: "s3cret" }], tlsKeyPath: "/a.key" };
const ORIGIN = { configPath: "/a.yaml", hasTokenFlags: false };

describe("what others can read", () => {
  test("is nothing where modes are tight", () => {
    assert.deepEqual(
      exposureWarnings(CONFIG, ORIGIN, "/data", () => 0o100600),
      [],
    );
    assert.deepEqual(
      exposureWarnings(CONFIG, ORIGIN, "/data", () => 0o040711),
      [],
    );
    assert.deepEqual(
      exposureWarnings(CONFIG, ORIGIN, "/data", () => null),
      [],
    );
  });

  test("is named by path, with who can and what mends it", () => {
    const loose = exposureWarnings(CONFIG, ORIGIN, "/data", () => 0o100644);
    assert.deepEqual(loose, [
      "the file with the tokens /a.yaml can be read by everybody; chmod 600 keeps it to this user",
      "the TLS key /a.key can be read by everybody; chmod 600 keeps it to this user",
      "the data folder /data can be read by everybody; chmod 700 keeps it to this user",
    ]);
    assert.match(exposureWarnings(CONFIG, ORIGIN, "/data", () => 0o040750).join("\n"), /read by its group/);
  });

  test("is a config file only where it holds tokens, and flags only where they do", () => {
    const open = { ...SERVE_DEFAULTS, tokens: [] };
    assert.equal(exposureWarnings(open, ORIGIN, "/data", () => 0o100644).length, 1);
    const flags = exposureWarnings(CONFIG, { configPath: "", hasTokenFlags: true }, "/data", () => 0o700);
    assert.match(flags.join("\n"), /^tokens were given as flags/);
    assert.ok(!flags.join().includes("s3cret"));
  });
});

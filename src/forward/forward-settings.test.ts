// What an operator can say of the store, and that no secret is told again.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { authorizationFrom, parseHeaders, parseTarget, showUrl } from "./forward-settings.ts";

test("an address says where and who, and is shown without who", () => {
  const { url, userAndPassword } = parseTarget(
    "--to",
    "prometheus=https://me:p%40ss@host:9/api/v1/push?token=x#y",
  );
  assert.equal(url.href, "https://host:9/api/v1/push?token=x");
  assert.equal(userAndPassword, "me:p@ss");
  assert.equal(showUrl(url), "https://host:9/api/v1/push?…");
});

test("what is no address of remote write is refused, with what to do and without what was written", () => {
  for (const text of [
    "http://u:s3cret@h/api/v1/write",
    "influx=http://u:s3cret@h/x",
    "prometheus=u:s3cret@h",
    "prometheus=http://u:s3cret@h",
    "prometheus=ftp://u:s3cret@h/x",
  ])
    assert.throws(
      () => parseTarget("--to", text),
      ({ message, exitCode }: Error & { exitCode: number }) =>
        exitCode === 2 && message.startsWith("cannot use --to because") && !message.includes("s3cret"),
      text,
    );
});

test("headers are fields of one line, not those that the forwarder sets, and their values are not shown", () => {
  assert.deepEqual(parseHeaders("--header", ["X-Scope-OrgID: a b ", "X-Empty:"]), {
    "X-Scope-OrgID": "a b",
    "X-Empty": "",
  });
  for (const text of ["s3cret", "X: s3cret\r\nY: 1", "Content-Type: s3cret", "Host: s3cret", "host: s3cret"])
    assert.throws(
      () => parseHeaders("--header", [text]),
      ({ message }: Error) => !message.includes("s3cret"),
    );
});

const NONE = { userAndPassword: "", basicAuthFile: "", bearerToken: "", bearerTokenFile: "" };

test("one way to say who we are is taken, two are refused", () => {
  assert.deepEqual(authorizationFrom(NONE, "--").authorization(), {});
  assert.deepEqual(authorizationFrom({ ...NONE, bearerToken: "t" }, "--").authorization(), {
    Authorization: "Bearer t",
  });
  assert.deepEqual(authorizationFrom({ ...NONE, userAndPassword: "me:é" }, "--").authorization(), {
    Authorization: `Basic ${Buffer.from("me:é").toString("base64")}`,
  });
  assert.throws(
    () => authorizationFrom({ ...NONE, bearerToken: "t", userAndPassword: "u:p" }, "--"),
    /in two ways/,
  );
});

test("a token's file is read again when it is asked for, and kept while it is gone", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-token-"));
  const path = join(folder, "token");
  try {
    assert.throws(() => authorizationFrom({ ...NONE, bearerTokenFile: path }, "--"), /because of ENOENT/);
    writeFileSync(path, "one\n");
    const { authorization, forgetAuthorization } = authorizationFrom(
      { ...NONE, bearerTokenFile: path },
      "--",
    );
    writeFileSync(path, "two\n");
    assert.deepEqual(authorization(), { Authorization: "Bearer one" });
    forgetAuthorization();
    assert.deepEqual(authorization(), { Authorization: "Bearer two" });
    rmSync(path);
    forgetAuthorization();
    assert.deepEqual(authorization(), { Authorization: "Bearer two" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

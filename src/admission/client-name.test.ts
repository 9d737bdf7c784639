import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isClientName, nameFromAddress, nameFromAuthorization } from "./client-name.ts";

function isName(text: string): boolean {
  const bytes = Buffer.from(`#${text}#`, "latin1");
  return isClientName(bytes, 1, bytes.length - 1);
}

test("a client's name is 1 to 64 of A-Za-z0-9._-", () => {
  for (const name of ["a", "Z", "0", ".", "_", "-", "web-1.eu_west", "x".repeat(64)])
    assert.ok(isName(name), name);
  for (const name of ["", "x".repeat(65), "a b", "a/b", "ä", "a\0", 'a"', "a\\", "a\n", "é".repeat(3)]) {
    assert.ok(!isName(name), JSON.stringify(name));
  }
});

test("of all bytes, exactly the 65 that are listed may be in a name", () => {
  let count = 0;
  for (let byte = 0; byte < 256; byte++) {
    const isListed = /^[A-Za-z0-9._-]$/.test(String.fromCharCode(byte));
    assert.equal(isClientName(Uint8Array.of(byte), 0, 1), isListed, `byte ${byte}`);
    if (isListed) count++;
  }
  assert.equal(count, 65);
});

test("a name made from a credential is the same for the same bytes, another for others, and a name itself", () => {
  const bytes = Buffer.from("..Basic dXNlcjpwYXNz..");
  const name = nameFromAuthorization(bytes, 2, bytes.length - 2);
  assert.equal(name, `auth-${createHash("sha256").update("Basic dXNlcjpwYXNz").digest("hex").slice(0, 16)}`);
  assert.notEqual(name, nameFromAuthorization(bytes, 2, bytes.length - 3));
  assert.ok(isName(name));
  assert.doesNotMatch(name, /dXNlcjpwYXNz/);
});

test("an IPv4 peer has one name however the server listens; an IPv6 peer keeps its own", () => {
  assert.equal(nameFromAddress("192.0.2.7"), "192.0.2.7");
  assert.equal(nameFromAddress("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(nameFromAddress("::FFFF:192.0.2.7"), "192.0.2.7");
  assert.equal(nameFromAddress("2001:db8::1"), "2001:db8::1");
  assert.equal(nameFromAddress("::ffff:0:1"), "::ffff:0:1");
  assert.equal(nameFromAddress("::1"), "::1");
});

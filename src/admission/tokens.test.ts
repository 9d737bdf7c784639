import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TOKEN_BYTES_MAX, TOKENS_MAX } from "../limits.ts";
import { TOKEN_NONE, TokenTable } from "./tokens.ts";

function find(table: TokenTable, value: string): number {
  const bytes = Buffer.from(`xx${value}yy`, "latin1");
  return table.find(bytes, 2, bytes.length - 2);
}

const longest = "L".repeat(TOKEN_BYTES_MAX);
const table = new TokenTable([
  { name: "web", token: "s3cret" },
  { name: "batch", token: "s3cret2" },
  { name: "long", token: longest },
  { name: "one", token: "x" },
  { name: "padded", token: "abc=" },
]);

describe("an Authorization value", () => {
  test("is found by the whole token, wherever that stands in the table", () => {
    assert.equal(find(table, "Bearer s3cret"), 0);
    assert.equal(find(table, "Bearer s3cret2"), 1);
    assert.equal(find(table, `Bearer ${longest}`), 2);
    assert.equal(find(table, "Bearer x"), 3);
    assert.equal(find(table, "Bearer abc="), 4);
    assert.equal(table.names[4], "padded");
  });

  test("may write the scheme in any case, and put any number of spaces after it", () => {
    assert.equal(find(table, "bearer s3cret"), 0);
    assert.equal(find(table, "BEARER s3cret"), 0);
    assert.equal(find(table, "bEaReR    s3cret"), 0);
  });

  for (const value of [
    "",
    "B",
    "Bearer",
    "Bearer ",
    "Bearer   ",
    "Bearer s3cre",
    "Bearer s3cret ",
    "Bearer s3cret3",
    "Bearer S3cret",
    "Bearer s3cret\0",
    "Bearer s3cret\0\0",
    "Bearer\ts3cret",
    "Bearers3cret",
    "Beare s3cret",
    "Basic s3cret",
    "s3cret",
    `Bearer ${longest}L`,
    `Bearer ${longest.slice(1)}`,
    `Bearer ${"\xff".repeat(TOKEN_BYTES_MAX)}`,
    "\x02earer s3cret", // what folding to lower case must not take for a letter
    "Bearer \xff",
  ]) {
    test(`that is ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)} is none`, () => {
      assert.equal(find(table, value), TOKEN_NONE);
    });
  }

  test("leaves nothing behind for the next one: a shorter credential is not completed by the last", () => {
    assert.equal(find(table, "Bearer s3cret2"), 1);
    assert.equal(find(table, "Bearer s"), TOKEN_NONE);
    assert.equal(find(table, "Bearer s3cret"), 0);
  });
});

describe("a token table", () => {
  test("of the most tokens there may be finds each of them, and no other", () => {
    const tokens = Array.from({ length: TOKENS_MAX }, (_, index) => ({
      name: `n${index}`,
      token: `t-${index}`,
    }));
    const full = new TokenTable(tokens);
    for (let index = 0; index < TOKENS_MAX; index++) assert.equal(find(full, `Bearer t-${index}`), index);
    assert.equal(find(full, `Bearer t-${TOKENS_MAX}`), TOKEN_NONE);
    assert.throws(() => new TokenTable([...tokens, { name: "more", token: "more" }]), /TOKENS_MAX/);
  });

  test("without tokens admits nobody", () => {
    assert.equal(find(new TokenTable([]), "Bearer x"), TOKEN_NONE);
  });

  test("refuses a token that is there twice, empty or too long", () => {
    const twice = [
      { name: "a", token: "t" },
      { name: "b", token: "t" },
    ];
    assert.throws(() => new TokenTable(twice), /twice/);
    assert.throws(() => new TokenTable([{ name: "a", token: "" }]), /1 to TOKEN_BYTES_MAX/);
    assert.throws(() => new TokenTable([{ name: "a", token: `${longest}L` }]), /1 to TOKEN_BYTES_MAX/);
  });

  test("compares in full: where all hashes are the same, still only the very token is found", () => {
    const sameForAll = { low: 1, high: 2, hash: () => {} };
    const secret = "x".repeat(60); // with its length it fills the padding to the last byte
    const one = new TokenTable([{ name: "a", token: secret }], sameForAll);
    assert.equal(find(one, `Bearer ${secret}`), 0);
    for (const other of [
      "x",
      secret.slice(1),
      `${secret}x`,
      `${secret}\0`,
      "y".repeat(60),
      `${secret.slice(1)}y`,
    ]) {
      assert.equal(find(one, `Bearer ${other}`), TOKEN_NONE);
    }
    const short = new TokenTable([{ name: "a", token: "x" }], sameForAll);
    assert.equal(find(short, "Bearer x"), 0);
    for (const other of ["x\0", `x${"\0".repeat(59)}`, "xx", "y", "x".repeat(2000)]) {
      assert.equal(find(short, `Bearer ${other}`), TOKEN_NONE);
    }
    assert.equal(find(new TokenTable([], sameForAll), "Bearer x"), TOKEN_NONE);
  });

  test("shows no secret when it is printed", () => {
    assert.doesNotMatch(JSON.stringify(table), /s3cret/);
  });
});

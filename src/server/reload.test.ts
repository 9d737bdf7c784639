// A reload as a decision: what is taken, what is refused as a whole, what needs a restart, and what the log may say.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SERVE_DEFAULTS, type ServeConfig } from "../config.ts";
import { TidemarkError } from "../errors.ts";
import { type Credentials, Reload } from "./reload.ts";

const WEB = { name: "web", token: "s3cret-of-web" };
const DB = { name: "db", token: "s3cret-of-db" };
const IDENTITY = {
  identity: { certificate: "", key: "s3cret-key", ticketKeys: new Uint8Array(48) },
  fingerprint: "aa",
  validUntil: "2030-01-01T00:00:00.000Z",
  warnings: [],
};

function configOf(changes: Partial<ServeConfig>): ServeConfig {
  return { ...SERVE_DEFAULTS, tokens: [WEB], ...changes };
}

class Bed {
  readonly lines: string[] = [];
  readonly applied: Credentials[] = [];
  readonly reload: Reload;
  next: () => Credentials;
  private idle: () => void = () => {};

  constructor(now: Credentials) {
    this.next = () => now;
    this.reload = new Reload(
      {
        read: () => this.next(),
        apply: async (credentials) => void this.applied.push(credentials),
        log: (level, text, fields) => {
          this.lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
          if (level !== "warn") this.idle();
        },
      },
      now,
    );
  }

  /** One signal, until its last line. */
  async hup(next: () => Credentials): Promise<string> {
    this.next = next;
    const from = this.lines.length;
    const done = new Promise<void>((resolve) => {
      this.idle = resolve;
    });
    this.reload.requestInBackground();
    await done;
    return this.lines.slice(from).join("\n");
  }
}

describe("a reload", () => {
  test("takes tokens, and names them by name only", async () => {
    const bed = new Bed({ config: configOf({}), identity: null });
    const said = await bed.hup(() => ({
      config: configOf({ tokens: [{ ...WEB, token: "s3cret-new" }, DB] }),
      identity: null,
    }));
    assert.match(
      said,
      /^info reloaded .*"tokens_added":\["db"\],"tokens_changed":\["web"\],"tokens_removed":\[\]/,
    );
    assert.equal(bed.applied.length, 1);
    assert.equal(bed.reload.current.config.tokens.length, 2);
    assert.match(
      await bed.hup(() => ({ config: configOf({}), identity: null })),
      /"tokens_removed":\["db"\]/,
    );
    assert.doesNotMatch(bed.lines.join(), /s3cret/);
  });

  test("takes a certificate and leaves the rest as it is, saying what needs a restart", async () => {
    const tls = { tlsCertificatePath: "a", tlsKeyPath: "b" };
    const bed = new Bed({ config: configOf(tls), identity: IDENTITY });
    const said = await bed.hup(() => ({
      config: configOf({ ...tls, tlsCertificatePath: "c", port: 1, rateLimit: 7 }),
      identity: { ...IDENTITY, fingerprint: "bb", warnings: ["expired"] },
    }));
    assert.match(said, /^warn settings have changed that need a restart.*\["port","rate-limit"\]/);
    assert.match(said, /warn expired/);
    assert.match(said, /info reloaded .*"certificate":"new"/);
    const { config } = bed.reload.current;
    assert.deepEqual([config.port, config.rateLimit, config.tlsCertificatePath], [8080, 10_000, "c"]);
    assert.doesNotMatch(said, /s3cret/);
  });

  test("is all or nothing: whatever is wrong leaves everything as it is", async () => {
    const before = { config: configOf({}), identity: null };
    const bed = new Bed(before);
    const wrong: (() => Credentials)[] = [
      () => {
        throw new TidemarkError("cannot use --token (not shown) because it is wrong", 2);
      },
      () => {
        throw new Error("near s3cret-of-db");
      },
      () => ({ config: configOf({ tokens: [] }), identity: null }),
      () => ({ config: configOf({ tokens: [DB] }), identity: IDENTITY }),
    ];
    for (const next of wrong) assert.match(await bed.hup(next), /^error cannot reload/);
    assert.equal(bed.applied.length, 0);
    assert.equal(bed.reload.current, before);
    assert.doesNotMatch(bed.lines.join(), /s3cret/);
  });
});

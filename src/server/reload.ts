// SIGHUP: the tokens and the certificate, read again and given to all threads, with nobody dropped. Main thread.
//
//   SIGHUP ─▶ settings and TLS files read and checked ─▶ every ingest thread has them ─▶ "reloaded"
//                    │ anything wrong with any of them
//                    └──▶ all stays as it is, and the log says why
//
// One after another: signals that come meanwhile make one more round. What else has changed in the file is named as
// needing a restart. Turning tokens or TLS off does too: a truncated file shall not open the server to everybody.

import { changedSettings, type ServeConfig } from "../config.ts";
import { TidemarkError } from "../errors.ts";
import type { LogLevel } from "./messages.ts";
import type { CheckedIdentity } from "./tls-identity.ts";

/** What can change while the server runs. */
export interface Credentials {
  readonly config: ServeConfig;
  readonly identity: CheckedIdentity | null;
}

export interface ReloadOptions {
  /** Everything as it would be at a start now. Throws TidemarkError. */
  read(): Credentials;
  /** Gives them to all threads; resolves when each has them. */
  apply(credentials: Credentials): Promise<void>;
  log(level: LogLevel, text: string, fields: Record<string, unknown>): void;
}

/** Settings that a reload takes, by their names as flags. */
const TAKEN = ["token", "tls-cert", "tls-key"];

export class Reload {
  /** In force: what a thread that starts now is given. */
  current: Credentials;
  private readonly options: ReloadOptions;
  private isRunning = false;
  private isWanted = false;

  constructor(options: ReloadOptions, current: Credentials) {
    this.options = options;
    this.current = current;
  }

  requestInBackground(): void {
    this.isWanted = true;
    if (!this.isRunning) this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.isWanted) {
      this.isWanted = false;
      await this.once();
    }
    this.isRunning = false;
  }

  private async once(): Promise<void> {
    const before = this.current;
    let after: Credentials;
    try {
      after = this.allowed(this.options.read());
    } catch (error) {
      // Anything but our own text may quote what it was reading.
      const because = error instanceof TidemarkError ? error.message : "of an error that is a bug of ours";
      this.options.log("error", "cannot reload; tokens and certificate stay as they are", { because });
      return;
    }
    const rest = changedSettings(before.config, after.config).filter((name) => !TAKEN.includes(name));
    if (rest.length > 0) {
      this.options.log("warn", "settings have changed that need a restart; they stay as they are", {
        settings: rest,
      });
    }
    const { tokens, tlsCertificatePath, tlsKeyPath } = after.config;
    this.current = {
      config: { ...before.config, tokens, tlsCertificatePath, tlsKeyPath },
      identity: after.identity,
    };
    for (const warning of after.identity?.warnings ?? []) this.options.log("warn", warning, {});
    await this.options.apply(this.current);
    this.options.log("info", "reloaded", describeChange(before, this.current));
  }

  private allowed(after: Credentials): Credentials {
    const { config, identity } = this.current;
    if (config.tokens.length > 0 && after.config.tokens.length === 0) {
      throw new TidemarkError(
        "there is no token any more, and everybody would be admitted; put one back, or restart to run without",
      );
    }
    if ((identity === null) !== (after.identity === null)) {
      throw new TidemarkError("TLS was turned on or off; restart for that");
    }
    return after;
  }
}

function describeChange(before: Credentials, after: Credentials): Record<string, unknown> {
  const { identity } = after;
  const wasThere = new Map(before.config.tokens.map(({ name, token }) => [name, token]));
  const isThere = new Map(after.config.tokens.map(({ name, token }) => [name, token]));
  return {
    tokens_added: [...isThere.keys()].filter((name) => !wasThere.has(name)),
    tokens_changed: [...isThere.keys()].filter(
      (name) => wasThere.has(name) && wasThere.get(name) !== isThere.get(name),
    ),
    tokens_removed: [...wasThere.keys()].filter((name) => !isThere.has(name)),
    ...(identity === null
      ? {}
      : {
          certificate: identity.fingerprint === before.identity?.fingerprint ? "the same" : "new",
          certificate_sha256: identity.fingerprint,
          certificate_valid_until: identity.validUntil,
        }),
  };
}

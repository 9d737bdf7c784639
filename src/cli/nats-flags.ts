// The flags with which every command that talks to NATS says how to get in, each also from the environment
// (--nats-user, TIDEMARK_NATS_USER), where secrets are not seen in the list of processes. The flag goes before the
// environment. Which servers they are is the command's own flag, for it means another thing in each.

import { type Command, Option } from "commander";
import { TidemarkError } from "../errors.ts";
import type { NatsSettings } from "../nats/nats-settings.ts";
import { NATS_DEFAULT_PORT, parseServers } from "../nats/nats-settings.ts";

/** As the command line gives them. */
export interface NatsFlags {
  readonly natsUser?: string;
  readonly natsPassword?: string;
  readonly natsToken?: string;
  readonly natsNkey?: string;
  readonly natsCreds?: string;
  readonly natsCa?: string;
  readonly natsCert?: string;
  readonly natsKey?: string;
}

const FLAGS: readonly (readonly [usage: string, help: string])[] = [
  ["--nats-user <NAME>", "user, with --nats-password"],
  ["--nats-password <WORD>", "better as TIDEMARK_NATS_PASSWORD"],
  ["--nats-token <TOKEN>", "better as TIDEMARK_NATS_TOKEN"],
  ["--nats-nkey <FILE>", "holds the seed of an nkey (SU…)"],
  ["--nats-creds <FILE>", "credentials: a JWT and its seed"],
  ["--nats-ca <FILE>", "PEM of the authority that signed the servers' own"],
  ["--nats-cert <FILE>", "PEM of our certificate, with --nats-key"],
  ["--nats-key <FILE>", "PEM of its key"],
];

/** Each is also read from TIDEMARK_NATS_…, by readNatsSettings. */
export function addNatsFlags(command: Command): Command {
  for (const [usage, help] of FLAGS)
    command.addOption(new Option(usage, help).helpGroup("NATS (each also as TIDEMARK_NATS_…):"));
  return command;
}

/**
 * `servers` is the value of `flag`: nats://host:port, or several with commas between. Throws TidemarkError with exit code 2,
 * and never shows a secret. Nothing is read and nobody is asked: openNats() does both.
 */
export function readNatsSettings(
  flag: string,
  servers: string,
  flags: NatsFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): NatsSettings {
  const parsed = parseServers(servers);
  if (parsed === null)
    throw wrong(
      `cannot use ${flag} ${JSON.stringify(withoutSecrets(servers))} because it is no address of NATS; try nats://127.0.0.1:${NATS_DEFAULT_PORT}, or tls://…, with commas between several`,
    );
  const said = (value: string | undefined, name: string): string =>
    value ?? environment[`TIDEMARK_NATS_${name}`] ?? "";
  const settings: NatsSettings = {
    servers: parsed,
    user: said(flags.natsUser, "USER"),
    password: said(flags.natsPassword, "PASSWORD"),
    token: said(flags.natsToken, "TOKEN"),
    nkeyPath: said(flags.natsNkey, "NKEY"),
    credsPath: said(flags.natsCreds, "CREDS"),
    caPath: said(flags.natsCa, "CA"),
    certificatePath: said(flags.natsCert, "CERT"),
    keyPath: said(flags.natsKey, "KEY"),
  };
  refuseHalves(settings);
  return settings;
}

/** What only works with another. */
function refuseHalves(settings: NatsSettings): void {
  const { user, password, token, certificatePath, keyPath } = settings;
  if (password !== "" && user === "")
    throw wrong("cannot use --nats-password without --nats-user because it is that user's; name the user");
  if (user !== "" && token !== "")
    throw wrong(
      "cannot use --nats-token with --nats-user because each of them says who we are; leave one out",
    );
  if ((certificatePath === "") !== (keyPath === ""))
    throw wrong("cannot use one of --nats-cert and --nats-key alone because each needs the other; give both");
}

/** An address that is wrong may hold a password all the same. */
function withoutSecrets(text: string): string {
  return text.replace(/(^|,|\/\/)[^,]*@/g, "$1").slice(0, 80);
}

function wrong(text: string): TidemarkError {
  return new TidemarkError(text, 2);
}

// `tidemark forward`: sends the log of a data folder to a Prometheus-compatible store, beside a server or without one.
// Exit code 0: told to end, or with --until-end all is there; 1: the folder cannot be used; 2: the command line is wrong.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { realClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import { readCount, readDurationMs } from "../capacity/flag-values.ts";
import { TidemarkError } from "../errors.ts";
import { openFiguresPage, readPlace } from "../forward/figures-page.ts";
import { type ForwardSettings, forwardSettings, showUrl } from "../forward/forward-settings.ts";
import { startForwarder } from "../forward/forwarder.ts";
import {
  FORWARD_BATCH_SAMPLES_DEFAULT,
  FORWARD_BATCH_SAMPLES_MAX,
  FORWARD_CONNECTIONS_DEFAULT,
  FORWARD_CONNECTIONS_MAX,
  FORWARD_TIMEOUT_MS_DEFAULT,
} from "../limits.ts";
import { realFiles } from "../log/files.ts";
import { lockForwarder } from "../server/forward-lock.ts";
import { VERSION } from "../server/version.ts";

const DATA_DEFAULT = "./data";
const NAME_DEFAULT = "prometheus";
const DAY_MS = 24 * 60 * 60 * 1000;

const EXAMPLES = `
Examples:
  $ tidemark forward --data /var/lib/tidemark --to prometheus=http://127.0.0.1:8428/api/v1/write
  $ tidemark forward --data /var/lib/tidemark --to prometheus=https://mimir/api/v1/push \\
      --header "X-Scope-OrgID: tenant" --bearer-token-file /run/secrets/token

It follows the log beside a server, or alone on a folder, and goes on where it
was when it is started again. What the store has no room for now, waits; what it
refuses for good is set aside in <data>/dead-letter/. SIGTERM and SIGINT end what
is under way, within 5 s. TIDEMARK_FORWARD_TO may hold the value of --to,
TIDEMARK_FORWARD_BEARER_TOKEN a token, TIDEMARK_FORWARD_HEADERS headers, a line each.

Exit code 0: ended as it was told to; 1: it could not begin; 2: a flag is wrong.
`;

interface ForwardFlags {
  readonly data?: string;
  readonly to?: string;
  readonly name?: string;
  readonly connections?: string;
  readonly batchSamples?: string;
  readonly timeout?: string;
  readonly resend?: string;
  readonly header?: readonly string[];
  readonly basicAuthFile?: string;
  readonly bearerTokenFile?: string;
  readonly ca?: string;
  readonly listen?: string;
  readonly untilEnd?: true;
}

export function forwardCommand(): Command {
  return new Command("forward")
    .description("Send the log to a Prometheus-compatible store (remote write).")
    .usage("--to prometheus=URL [flags]")
    .allowExcessArguments(false)
    .option("--data <FOLDER>", `the folder whose log it is (${DATA_DEFAULT})`)
    .option(
      "--to <prometheus=URL>",
      "the store's address for remote write; a user and password may stand in it",
    )
    .option("--name <NAME>", `names the cursor and the dead letters; one for each store (${NAME_DEFAULT})`)
    .option(
      "--connections <N>",
      `requests under way at once; a series keeps to one of them (${FORWARD_CONNECTIONS_DEFAULT})`,
    )
    .option("--batch-samples <N>", `samples in one request (${FORWARD_BATCH_SAMPLES_DEFAULT})`)
    .option("--timeout <TIME>", `longest wait for an answer (${FORWARD_TIMEOUT_MS_DEFAULT / 1000}s)`)
    .option(
      "--resend <TIME>",
      "send again what was taken in this time before the store went away, for stores that answer before they store (auto: 20s for VictoriaMetrics, off for others)",
    )
    .option(
      "--header <'NAME: VALUE'>",
      "a field of every request; as often as needed",
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option("--basic-auth-file <FILE>", "holds user:password")
    .option("--bearer-token-file <FILE>", "holds a token; read again when the store says 401")
    .option("--ca <FILE>", "PEM of the authority that signed the store's certificate")
    .option("--listen <HOST:PORT>", "answer GET /metrics there with figures of the forwarder (off)")
    .option("--until-end", "end when the store has all that is in the log now")
    .addHelpOption(new Option("-h, --help", "print this help"))
    .addHelpText("after", EXAMPLES)
    .action(runForward);
}

async function runForward(flags: ForwardFlags): Promise<void> {
  process.umask(0o077);
  const settings = readSettings(flags, process.env);
  const listen = flags.listen === undefined ? null : readPlace("--listen", flags.listen);
  const dataFolder = resolve(flags.data ?? DATA_DEFAULT);
  if (!existsSync(dataFolder))
    throw new TidemarkError(`cannot forward ${dataFolder} because it is not there; try another --data`, 2);
  // Heard from here on, so that a signal at the start is an end in order too.
  const stopSignal = nextSignal();
  const lock = await lockForwarder(dataFolder, settings.name);
  try {
    const forwarder = startForwarder({
      dataFolder,
      files: realFiles,
      clock: realClock,
      settings,
      userAgent: `tidemark/${VERSION}`,
      log: say,
    });
    const port = listen === null ? null : await openFiguresPage(listen, () => forwarder.figures());
    say("info", "forwarding", {
      data: dataFolder,
      url: showUrl(settings.url),
      name: settings.name,
      ...(port === null ? {} : { port }),
    });
    await (flags.untilEnd ? Promise.race([stopSignal, forwarder.untilEnd()]) : stopSignal);
    await forwarder.close();
    const { samples, deadLetters, lagLines } = forwarder.figures();
    say("info", "forwarded", { samples, dead_letters: deadLetters, lag_lines: lagLines });
  } finally {
    lock.release();
  }
  process.exit(0);
}

function readSettings(
  flags: ForwardFlags,
  environment: Readonly<Record<string, string | undefined>>,
): ForwardSettings {
  const target = flags.to ?? environment.TIDEMARK_FORWARD_TO;
  if (target === undefined)
    throw new TidemarkError("cannot forward because no store is named; give --to prometheus=URL", 2);
  const name = flags.name ?? NAME_DEFAULT;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
    throw new TidemarkError("cannot use --name because it must be 1 to 64 of A-Z a-z 0-9 _ -", 2);
  const fromEnvironment = (environment.TIDEMARK_FORWARD_HEADERS ?? "").split("\n");
  return forwardSettings(
    {
      target,
      headers: flags.header ?? fromEnvironment.filter((text) => text !== ""),
      bearerToken: environment.TIDEMARK_FORWARD_BEARER_TOKEN ?? "",
      bearerTokenFile: flags.bearerTokenFile ?? "",
      basicAuthFile: flags.basicAuthFile ?? "",
      ca: flags.ca ?? "",
      connections: readCount(
        "--connections",
        flags.connections ?? `${FORWARD_CONNECTIONS_DEFAULT}`,
        1,
        FORWARD_CONNECTIONS_MAX,
      ),
      batchSamples: readCount(
        "--batch-samples",
        flags.batchSamples ?? `${FORWARD_BATCH_SAMPLES_DEFAULT}`,
        1,
        FORWARD_BATCH_SAMPLES_MAX,
      ),
      timeoutMs: readDurationMs("--timeout", flags.timeout ?? `${FORWARD_TIMEOUT_MS_DEFAULT}ms`, 100, DAY_MS),
      resendMs: readResendMs(flags.resend ?? "auto"),
      name,
    },
    { target: "--to", prefix: "--" },
  );
}

function readResendMs(text: string): number | null {
  if (text === "auto") return null;
  return text === "off" ? 0 : readDurationMs("--resend", text, 1_000, DAY_MS);
}

function nextSignal(): Promise<string> {
  return new Promise((settle) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => settle(signal));
  });
}

/** A line of JSON on standard error, as the server's log has them. */
function say(level: "info" | "warn" | "error", text: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: text });
  process.stderr.write(`${printable(line)}\n`);
}

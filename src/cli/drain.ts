// `tidemark drain`: the flags, and the process around a drain: its folder and lock, its signals, its log.
// Exit code 0: ended by SIGTERM or SIGINT; 1: it could not begin, or could not go on; 2: a flag is wrong.

import { resolve } from "node:path";
import { Command, Option } from "commander";
import pino from "pino";
import { environmentName, type Flags, resolveServeConfig } from "../config.ts";
import { SETTINGS } from "../config-settings.ts";
import { TidemarkError } from "../errors.ts";
import { realFiles } from "../log/files.ts";
import { runDrain } from "../replica/drain/drain.ts";
import { openDataFolder } from "../server/data-folder.ts";
import { lockFolder } from "../server/folder-lock.ts";
import { describeLaneEvent } from "../server/lane-event.ts";
import { openLogStream } from "../server/log-stream.ts";
import { addNatsFlags, type NatsFlags, readNatsSettings } from "./nats-flags.ts";

const FROM = "--from <URL>";
const FROM_VARIABLE = "TIDEMARK_FROM";
const DATA_DEFAULT = "./store";
/** Settings that it has in common with `serve`, with the same meaning, environment variables and defaults but for the folder. */
const SHARED = [
  "data",
  "stream",
  "segment-size",
  "segment-age",
  "retention-age",
  "retention-size",
  "log-level",
];
const HELP: Readonly<Record<string, string>> = {
  data: "where blocks are stored, in the form of serve's log; made where it is not there",
  stream: "the JetStream stream",
};

const EXAMPLES = `
Example:
  $ tidemark drain --from nats://a,b,c --data /var/lib/tidemark-store

It stores each block of the stream once, whatever is delivered twice, and takes
it off the stream then. Start as many as you like, each with a folder of its
own: they share the partitions, and take over from one that dies. What cannot
be read is kept in dead-letter/. By default nothing is ever deleted.

SIZE is a number with KiB, MiB, GiB and so on; TIME with s, m, h, d.
SIGTERM and SIGINT finish what is being stored, give the partitions up, and
exit with 0.
`;

type DrainFlags = NatsFlags & { readonly from?: string };

export function drainCommand(): Command {
  const command = new Command("drain")
    .description("Store the blocks of a stream that tidemark serve --replicate fills.")
    .usage("--from nats://… [flags]")
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .option(FROM, `servers of the NATS cluster: nats://a,b,c (${FROM_VARIABLE})`)
    .action(runCommand);
  for (const { name, placeholder, help, byDefault } of SETTINGS.filter((setting) =>
    SHARED.includes(setting.name),
  ))
    command.option(
      `--${name} <${placeholder}>`,
      `${HELP[name] ?? help} (${name === "data" ? DATA_DEFAULT : byDefault})`,
    );
  return addNatsFlags(command).addHelpOption(new Option("-h, --help", "print this help").helpGroup("Other:"));
}

async function runCommand(natsFlags: DrainFlags, command: Command): Promise<void> {
  const from = natsFlags.from ?? process.env[FROM_VARIABLE];
  if (from === undefined || from === "")
    throw new TidemarkError(
      "cannot drain without --from because it says where the stream is; try --from nats://127.0.0.1:4222",
      2,
    );
  const nats = readNatsSettings(FROM.split(" ")[0]!, from, natsFlags);
  const config = readShared(command);
  // Whatever the umask was: modes are what is asked for, and nothing is for others.
  process.umask(0o077);
  const dataFolder = resolve(config.dataDirectory);
  openDataFolder(dataFolder);
  const lock = await lockFolder(dataFolder, { pid: process.pid, address: "" });
  const log = pino({ level: config.logLevel, base: { pid: process.pid } }, openLogStream());
  const stop = new AbortController();
  const end = (signal: NodeJS.Signals) => {
    log.info({ signal }, "gives its partitions up");
    stop.abort();
  };
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    await runDrain(
      {
        nats,
        stream: config.stream,
        dataFolder,
        settings: config,
        files: realFiles,
        log: (level, text, fields) => log[level](fields, text),
        onLaneEvent: (partition, event) => {
          const { level, text, fields } = describeLaneEvent(event);
          log[level]({ partition, ...fields }, text);
        },
        onReady: () => void process.stdout.write(`tidemark drains ${config.stream} into ${dataFolder}\n`),
      },
      stop.signal,
    );
    log.info("ended");
  } finally {
    lock.release();
  }
}

/** The settings of `serve` that count here, by its own rules. */
function readShared(command: Command): ReturnType<typeof resolveServeConfig> {
  const values = command.opts<Record<string, string>>();
  const flags: Flags = Object.fromEntries(
    command.options
      .filter((option) => SHARED.includes(option.name()))
      .map((option) => [option.name(), values[option.attributeName()]] as const),
  );
  const environment = Object.fromEntries(
    SHARED.map((name) => [environmentName(name), process.env[environmentName(name)]] as const),
  );
  const data = flags.data ?? (environment.TIDEMARK_DATA || DATA_DEFAULT);
  return resolveServeConfig({ ...flags, data }, environment, () => "");
}

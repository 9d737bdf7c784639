// `tidemark serve`: the flags and the help, both made from the table of settings, and the hand-over to the server.
// The server itself is loaded only when the settings are good, so that --help and a typo are answered at once.
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { environmentName, type Flags, resolveServeConfig } from "../config.ts";
import { SETTINGS, type Setting } from "../config-settings.ts";

const EXAMPLES = `
Example:
  $ tidemark serve --port 8080 --data /var/lib/tidemark --ack synced
  $ curl -d '{"metrics":[{"name":"cpu_usage","value":75.5}]}' \\
      -H 'Content-Type: application/json' http://127.0.0.1:8080/metrics

Every flag is also an environment variable and a line of the file:
  --rate-limit 500    TIDEMARK_RATE_LIMIT=500    rate-limit: 500
  --token web=s3cret  TIDEMARK_TOKEN="web=s3cret db=s3cret2"
                      token: { web: s3cret, db: s3cret2 }
A flag beats the environment, the environment beats the file.

SIZE is a number with B, KiB, MiB, GiB, KB, MB or GB; TIME with ms, s, m, h, d.
SIGTERM and SIGINT answer what was accepted, then exit with 0.
SIGHUP takes the tokens and the TLS certificate from their files again.
`;

export function serveCommand(): Command {
  const command = new Command("serve")
    .description("Take batches of metrics over HTTP and answer for what is stored.")
    .usage("[flags]")
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .action(runServe);
  for (const setting of SETTINGS) command.addOption(optionFor(setting));
  const file = new Option("--config <FILE>", `settings as YAML (${environmentName("config")})`);
  return command
    .addOption(file.helpGroup("Other:"))
    .addHelpOption(new Option("-h, --help", "print this help").helpGroup("Other:"));
}

function optionFor(setting: Setting): Option {
  const byDefault = setting.byDefault === "" ? "" : ` (${setting.byDefault})`;
  const option = new Option(`--${setting.name} <${setting.placeholder}>`, `${setting.help}${byDefault}`);
  if (setting.key === "tokens") {
    option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  }
  return option.helpGroup(`${setting.group}:`);
}

async function runServe(_options: unknown, command: Command): Promise<void> {
  const flags = flagsOf(command);
  const readSettings = () => resolveServeConfig(flags, process.env, (path) => readFileSync(path, "utf8"));
  const config = readSettings();
  const { startServer } = await import("../server/supervisor.ts");
  const configPath = String(flags.config ?? process.env.TIDEMARK_CONFIG ?? "");
  await startServer(config, { readSettings, configPath, hasTokenFlags: flags.token !== undefined });
}

/** What was given on the command line, by the settings' own names rather than commander's camelCase. */
function flagsOf(command: Command): Flags {
  const values = command.opts<Record<string, string | string[]>>();
  return Object.fromEntries(
    command.options.map((option) => [option.name(), values[option.attributeName()]] as const),
  );
}

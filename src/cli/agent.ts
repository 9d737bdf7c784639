// `tidemark agent`: makes its share of a load whenever a coordinator (`load --agents`, `capacity --agents`) asks it to, until
// SIGTERM or SIGINT. Exit code: 0 told to end, 1 NATS is out of reach, 2 the command line was wrong.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command, Option } from "commander";
import { TidemarkError } from "../errors.ts";
import { addNatsFlags, type NatsFlags, readNatsSettings } from "./nats-flags.ts";

const EXAMPLES = `
Examples:
  $ tidemark agent --nats nats://10.0.0.7            on each machine that is to send
  $ tidemark load --agents nats://10.0.0.7 --url http://10.0.0.9:8080/metrics

It sends what a coordinator tells it to, to any address: let only those who may
do that publish on tidemark.agents.> of this NATS. It works for one coordinator
at a time, ends with its plan even where the coordinator dies, and then waits
for the next. SIGTERM or Ctrl-C ends it.
`;

interface AgentFlags extends NatsFlags {
  readonly nats?: string;
  readonly name?: string;
}

/** What stands in a NATS server's own lists, and in results. */
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

export function agentCommand(): Command {
  const command = new Command("agent")
    .description("Make a share of a load that is coordinated from elsewhere.")
    .usage("--nats <SERVERS> [flags]")
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .addOption(
      new Option("--nats <SERVERS>", "nats://host:port, where the coordinator is, too").helpGroup("Agent:"),
    )
    .addOption(new Option("--name <NAME>", "what results call it (host and process)").helpGroup("Agent:"))
    .action(runAgent);
  return addNatsFlags(command).addHelpOption(new Option("-h, --help", "print this help").helpGroup("Agent:"));
}

async function runAgent(flags: AgentFlags): Promise<void> {
  if (flags.nats === undefined)
    throw new TidemarkError(
      "cannot wait for work because --nats is missing; try --nats nats://127.0.0.1:4222",
      2,
    );
  const name = flags.name ?? `${hostname()}-${process.pid}`;
  if (flags.name !== undefined && !NAME.test(name))
    throw new TidemarkError(
      `cannot use --name ${JSON.stringify(name.slice(0, 80))} because it must be 1 to 64 of A-Z a-z 0-9 . _ -`,
      2,
    );
  const settings = readNatsSettings("--nats", flags.nats, flags);
  const ended = new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  const { openNats } = await import("../nats/connection.ts");
  const { showServers } = await import("../nats/nats-settings.ts");
  const { Agent } = await import("../capacity/agents/agent.ts");
  const { closeConnection } = await import("../capacity/agents/message-channel.ts");
  const { newSender } = await import("../capacity/agents/message-parts.ts");
  const connection = await openNats(settings, `tidemark agent ${name}`);
  const self = newSender(randomUUID(), name);
  const agent = new Agent(connection, self, (line) => process.stdout.write(`${self.name}: ${line}\n`));
  await connection.flush();
  process.stdout.write(`tidemark agent ${self.name} waits for work at ${showServers(settings.servers)}\n`);
  const closed = await Promise.race([ended, connection.closed()]);
  await agent.end();
  if (closed instanceof Error)
    throw new TidemarkError(
      `cannot go on because the connection to NATS was closed (${closed.message}); see the server's log`,
    );
  await closeConnection(connection);
}

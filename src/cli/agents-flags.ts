// The flags by which `load` and `capacity` have their load made by agents instead of by threads of their own, and the one
// place where either generator is chosen. Nothing of NATS is loaded without --agents.

import { hostname } from "node:os";
import { type Command, Option } from "commander";
import { readCount, readDurationMs } from "../capacity/flag-values.ts";
import type { LoadGenerator } from "../capacity/load/load-generator.ts";
import { TidemarkError } from "../errors.ts";
import { AGENTS_GATHER_MS, AGENTS_MAX, AGENTS_WAIT_MS_CEILING, AGENTS_WAIT_MS_MAX } from "../limits.ts";
import { addNatsFlags, type NatsFlags, readNatsSettings } from "./nats-flags.ts";

export interface AgentsFlags extends NatsFlags {
  readonly agents?: string;
  readonly agentsMin?: string;
  readonly agentsWait?: string;
}

export function addAgentsFlags(command: Command): Command {
  const flag = (usage: string, help: string): Option => new Option(usage, help).helpGroup("Agents:");
  command
    .addOption(flag("--agents <SERVERS>", "have tidemark agents at this NATS send"))
    .addOption(flag("--agents-min <N>", "wait for so many, and fail without (1)"))
    .addOption(flag("--agents-wait <TIME>", "how long to wait for them (10s)"));
  return addNatsFlags(command);
}

/** What the flags ask for; to be ended by who asked. Throws TidemarkError. `say` takes a line for the operator. */
export async function openGenerator(flags: AgentsFlags, say: (line: string) => void): Promise<LoadGenerator> {
  if (flags.agents === undefined) {
    const idle = flags.agentsMin !== undefined ? "--agents-min" : "--agents-wait";
    if (flags.agentsMin !== undefined || flags.agentsWait !== undefined)
      throw new TidemarkError(
        `cannot use ${idle} without --agents because there are no agents to wait for; try --agents nats://127.0.0.1:4222`,
        2,
      );
    const { GeneratorThreads } = await import("../capacity/load/generator-threads.ts");
    return new GeneratorThreads();
  }
  const agentsMin = readCount("--agents-min", flags.agentsMin ?? "1", 1, AGENTS_MAX);
  const waitMsMax =
    flags.agentsWait === undefined
      ? AGENTS_WAIT_MS_MAX
      : readDurationMs("--agents-wait", flags.agentsWait, AGENTS_GATHER_MS, AGENTS_WAIT_MS_CEILING);
  const settings = readNatsSettings("--agents", flags.agents, flags);
  const { openNats } = await import("../nats/connection.ts");
  const { showServers } = await import("../nats/nats-settings.ts");
  const { AgentFleet } = await import("../capacity/agents/agent-fleet.ts");
  const connection = await openNats(settings, `tidemark coordinator ${hostname()}-${process.pid}`);
  return AgentFleet.open({ connection, where: showServers(settings.servers), agentsMin, waitMsMax, say });
}

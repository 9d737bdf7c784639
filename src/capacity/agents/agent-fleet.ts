// Makes load with agents on other machines: finds and claims them, cuts each plan into their shares, lets all begin at one
// moment, and merges what they counted. It is a LoadGenerator as the threads of this process are. Coordinator's main thread.
//
//   open ─▶ find ─▶ claim ─▶ run ─▶ run ─▶ … ─▶ end (release)
//                             │ prepare all ─▶ read clocks ─▶ start all ─▶ counts of all ─▶ merge
//
// An agent that is lost is lost for good: the run at hand lacks its share and says so, the next is cut among the others.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { NatsConnection } from "@nats-io/transport-node";
import { realClock } from "../../base/clock.ts";
import { TidemarkError } from "../../errors.ts";
import { AGENT_COUNTS_MS_MAX, AGENT_PREPARE_MS_MAX, AGENT_START_DELAY_MS, AGENTS_MAX } from "../../limits.ts";
import type { LoadGenerator, StartLoadOptions } from "../load/load-generator.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import type { LoadResult } from "../load/load-result.ts";
import { splitPlan } from "../load/load-share.ts";
import { parseLoadUrl } from "../load/load-url.ts";
import { AgentLink } from "./agent-link.ts";
import { decodeFromAgent, type FromAgent, SUBJECT_OF_ALL, subjectOfCoordinator } from "./agent-messages.ts";
import { type AgentRoll, findAgents, notEnough } from "./find-agents.ts";
import { mergeShares, type ShareOutcome } from "./merge-shares.ts";
import { closeConnection, MessageChannel } from "./message-channel.ts";
import { newSender } from "./message-parts.ts";
import { refuseLargePlan } from "./plan-codec.ts";
import { ShareRun } from "./share-run.ts";
import { SlotMerger } from "./slot-merger.ts";

export interface AgentFleetOptions {
  /** It becomes the fleet's: end() closes it. */
  readonly connection: NatsConnection;
  /** Its address, for texts. */
  readonly where: string;
  /** --agents-min. */
  readonly agentsMin: number;
  /** --agents-wait. */
  readonly waitMsMax: number;
  /** A line for the operator: whom it found, whom it lost. */
  say(line: string): void;
}

export class AgentFleet implements LoadGenerator {
  readonly isHere = false;
  private readonly options: AgentFleetOptions;
  private readonly links: readonly AgentLink[];
  private runs = 0;

  private constructor(options: AgentFleetOptions, links: readonly AgentLink[]) {
    this.options = options;
    this.links = links;
    for (const link of links) {
      link.onLost = () =>
        options.say(`agent ${link.facts.name} on ${link.facts.host} is lost: it ${link.lost}`);
    }
  }

  /** Throws TidemarkError with exit code 2 where there are too few agents; the connection is closed then. */
  static async open(options: AgentFleetOptions): Promise<AgentFleet> {
    const { connection, agentsMin, say } = options;
    try {
      const roll: AgentRoll = { agents: new Map(), fault: null };
      const links = new Map<string, AgentLink>();
      const channel = openChannel(connection, roll, links);
      const ask = (): void => channel.send(SUBJECT_OF_ALL, { kind: "who" });
      const found = (await findAgents(roll, ask, options)).slice(0, AGENTS_MAX);
      for (const facts of found) links.set(facts.id, new AgentLink(channel, facts));
      const claimed: AgentLink[] = [];
      await Promise.all(
        [...links.values()].map(async (link) => {
          try {
            await link.claim();
            claimed.push(link);
          } catch (error) {
            say(`agent ${link.facts.name} is left out: ${(error as Error).message}`);
          }
        }),
      );
      if (claimed.length < agentsMin) {
        for (const link of claimed) link.release();
        throw notEnough([...roll.agents.values()], options);
      }
      claimed.sort((a, b) => (a.facts.name < b.facts.name ? -1 : 1));
      const names = claimed.map(({ facts }) => `${facts.name} on ${facts.host}`).join(", ");
      say(`${claimed.length} ${claimed.length === 1 ? "agent" : "agents"}: ${names}`);
      return new AgentFleet(options, claimed);
    } catch (error) {
      await closeConnection(connection);
      throw error;
    }
  }

  /** What goes wrong with an agent is in the result. Throws TidemarkError where the plan cannot be theirs. */
  async run(plan: LoadPlan, { onSlot, signal }: StartLoadOptions = {}): Promise<LoadResult> {
    this.refuseUnreachable(plan);
    refuseLargePlan(plan);
    const alive = this.links.filter((link) => link.lost === null);
    const { agentsMin } = this.options;
    if (alive.length < agentsMin) {
      const fault = `${alive.length} of the ${agentsMin} agents of --agents-min are left: ${this.lossesText()}`;
      return mergeShares(plan, realClock.wallMs(), [], fault);
    }
    const run = ++this.runs;
    const shares = splitPlan(plan, alive.length);
    const parts = alive
      .map((link, index) => new ShareRun(link, run, plan, shares[index]!))
      .filter(({ share }) => share.threads.length > 0);
    const slots = onSlot === undefined ? null : new SlotMerger(parts.length, onSlot);
    parts.forEach((part, index) => {
      part.link.onSlot = (slot) => slots?.receive(index, slot);
    });
    const stop = (): void => {
      for (const part of parts) part.stop();
    };
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    try {
      await Promise.all(parts.map((part) => part.prepare(AGENT_PREPARE_MS_MAX)));
      if (signal?.aborted) stop();
      const wayMs = 2 * Math.max(0, ...parts.map(({ clockErrorMs }) => clockErrorMs));
      const delayMs = AGENT_START_DELAY_MS + 2 * wayMs;
      const startedAtMs = realClock.wallMs() + delayMs;
      const startMs = realClock.monotonicMs() + delayMs;
      const { stop: end } = plan;
      const sendingMs = (end.kind === "seconds" ? end.seconds : end.secondsMax) * 1000;
      const outcomes: ShareOutcome[] = await Promise.all(
        parts.map((part) => part.run(startMs, delayMs + sendingMs + AGENT_COUNTS_MS_MAX)),
      );
      return mergeShares(plan, startedAtMs, outcomes);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async end(): Promise<void> {
    for (const link of this.links) link.release();
    await closeConnection(this.options.connection);
  }

  /** On another machine 127.0.0.1 is another machine. */
  private refuseUnreachable({ url }: LoadPlan): void {
    const { host } = parseLoadUrl(url);
    if (!/^(127\.|::1$|localhost$)/.test(host)) return;
    const other = this.links.find(({ facts }) => facts.host !== hostname());
    if (other === undefined) return;
    throw new TidemarkError(
      `cannot send to ${url} from agent ${other.facts.name} because ${host} is ${other.facts.host} itself there; give an address of the target's that all agents reach`,
      2,
    );
  }

  private lossesText(): string {
    return this.links
      .filter(({ lost }) => lost !== null)
      .map(({ facts, lost }) => `${facts.name} ${lost}`)
      .join(", ");
  }
}

function openChannel(
  connection: NatsConnection,
  roll: AgentRoll,
  links: ReadonlyMap<string, AgentLink>,
): MessageChannel<FromAgent> {
  const self = newSender(randomUUID(), `${hostname()}-${process.pid}`);
  const channel = new MessageChannel<FromAgent>(connection, self, {
    decode: decodeFromAgent,
    onMessage(message, sender) {
      links.get(sender.id)?.receive(message);
      if (message.kind !== "here") return;
      const before = roll.agents.get(sender.id);
      const isTaken = [...roll.agents.values()].some(
        ({ id, name }) => id !== sender.id && name === sender.name,
      );
      const name = before?.name ?? (isTaken ? `${sender.name}-${sender.id.slice(0, 4)}` : sender.name);
      roll.agents.set(sender.id, { id: sender.id, name, host: message.host, worksFor: message.worksFor });
    },
    onFault(sender, reason) {
      roll.fault ??= reason;
      links.get(sender.id)?.lose(`cannot be understood: ${reason}`);
    },
  });
  channel.listen(subjectOfCoordinator(self.id));
  return channel;
}

// One client over its limit, beside one within it: the figures of the second, alone and beside the first, in rounds.
// Both are open loops of the project's own generator; all requests of one carry one X-Client-Id.

import { loadJson, spawnLoad } from "../support/load-process.ts";
import { startServer } from "../support/server-process.ts";
import { median, msText } from "./levels.ts";
import { OverloadProbe } from "./probe.ts";

export interface FairnessPlan {
  /** Requests a second and client. */
  readonly budget: number;
  /** The greedy client sends so many times its budget. */
  readonly times: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly serverWrapper: readonly string[];
  readonly wrapper: readonly string[];
}

export interface FairnessFound {
  /** Medians over the rounds, from the planned send. */
  readonly aloneMsP99: number;
  readonly besideMsP99: number;
  /** Of the client within its limit. */
  readonly failures: number;
  /** Of the greedy one: answered 200, 429, and sent, a second. */
  readonly greedyTaken: number;
  readonly greedyRefused: number;
  readonly greedySent: number;
  readonly refusals: number;
  readonly problems: readonly string[];
}

/** Part of its budget that the client within it uses. */
const MODEST_SHARE = 0.8;
const GREEDY_CLIENTS = 16;
/** Where both loops share a core, the one that measures must not wait for the other. */
const GIVES_WAY = ["nice", "-n", "15"];
const MODEST_CLIENTS = 8;

export async function runFairness(plan: FairnessPlan): Promise<FairnessFound> {
  const flags = ["--threads", "1", "--rate-limit", `${plan.budget}`];
  const server = await startServer(flags, { wrapper: plan.serverWrapper });
  const url = `${server.address}/metrics`;
  const words = (client: string, clients: number, rate: number, seconds: number): string[] => [
    ...["--url", url, "--clients", `${clients}`, "--rate", `${rate}`, "--client-ids", "off"],
    ...["--header", `X-Client-Id: ${client}`, "--duration", `${seconds}s`, "--warm-up", "500ms"],
  ];
  const modest = async () =>
    (await loadJson(words("modest", MODEST_CLIENTS, plan.budget * MODEST_SHARE, plan.seconds), plan.wrapper))
      .json;
  const [alone, beside, taken, refused, sent]: number[][] = [[], [], [], [], []];
  let [failures, refusals] = [0, 0];
  const probe = new OverloadProbe("greedy");
  for (let round = 0; round < plan.rounds; round++) {
    const quiet = await modest();
    probe.start(server.port);
    // It begins before the other and ends after it.
    const greedyWords = words("greedy", GREEDY_CLIENTS, plan.budget * plan.times, plan.seconds + 2);
    const greedy = spawnLoad([...greedyWords, "--json"], [...GIVES_WAY, ...plan.wrapper]);
    const crowded = await modest();
    const json = JSON.parse((await greedy.ended).out);
    await probe.stop();
    alone!.push(quiet.latency_ms.p99!);
    beside!.push(crowded.latency_ms.p99!);
    failures += Object.values(quiet.errors)
      .concat(Object.values(crowded.errors))
      .reduce((a, b) => a + b, 0);
    taken!.push(json.statuses["200"] / json.seconds);
    refused!.push(json.statuses["429"] / json.seconds);
    sent!.push(json.requests / json.seconds);
    refusals += json.statuses["429"];
    console.error(
      `fairness, round ${round + 1}: p99 alone ${msText(alone!.at(-1)!)}, beside ${msText(beside!.at(-1)!)}; greedy ${Math.round(taken!.at(-1)!)} taken, ${Math.round(refused!.at(-1)!)} refused a second`,
    );
  }
  await server.stop();
  return {
    aloneMsP99: median(alone!),
    besideMsP99: median(beside!),
    failures,
    greedyTaken: median(taken!),
    greedyRefused: median(refused!),
    greedySent: median(sent!),
    refusals,
    problems: [...new Set(probe.problems)],
  };
}

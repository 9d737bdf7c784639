// Sends attacks through the proxies and holds what they make of each against the server's own reading. What looks wrong
// is looked at again by itself, with much patience: on a busy machine silence is not yet waiting.

import { type Attack, attackOf } from "./mutator.ts";
import { readAsServer } from "./own-reading.ts";
import { type FrontProxy, type ProxyName, startProxies } from "./proxies.ts";
import { readAsProxy } from "./proxy-reading.ts";
import { reasonFor } from "./reasons.ts";
import { RecordingBackend } from "./recording-backend.ts";
import { compare, forwardingFault, shown } from "./verdict.ts";

export interface ProxyTally {
  readonly proxy: ProxyName;
  mutations: number;
  /** The same requests, to the end or to a refusal of both. */
  same: number;
  /** The server refused, or had closed, where the proxy went on. */
  stricter: number;
  /** By the reason's name. */
  explained: Map<string, number>;
  /** What no reason explains. */
  unexplained: string[];
  /** Connections to the backend, each one request to the proxy. */
  forwarded: number;
  /** Of those, what is not one request to the server. */
  smuggled: string[];
}

export interface AttackRange {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** Of each proxy's. */
const STREAMS_AT_ONCE = 48;
const SILENCE_MS = 1_500;
const SILENCE_AGAIN_MS = 6_000;
const LOOKS_MAX = 3;
const PROGRESS_EVERY = 10_000;

interface Look {
  readonly kind: "same" | "stricter" | "explained" | "unexplained";
  readonly reason: string;
  readonly forwarded: number;
  readonly smuggled: string;
}

/** Every attack of the range through every proxy. The caller stops the proxies (stopForeignServers). */
export async function attackProxies(range: AttackRange): Promise<ProxyTally[]> {
  const backend = new RecordingBackend();
  await backend.listen();
  const proxies = await startProxies(backend.port);
  const tallies = await Promise.all(proxies.map((proxy) => attackProxy(proxy, backend, range)));
  await backend.close();
  return tallies;
}

async function attackProxy(
  proxy: FrontProxy,
  backend: RecordingBackend,
  range: AttackRange,
): Promise<ProxyTally> {
  const tally = emptyTally(proxy.name);
  let next = range.from;
  const stream = async (): Promise<void> => {
    while (next < range.to) {
      const attack = attackOf(range.seed, next++);
      let look = await lookAt(proxy, backend, attack, SILENCE_MS);
      for (let looks = 1; looks < LOOKS_MAX && isWrong(look); looks++)
        look = await lookAt(proxy, backend, attack, SILENCE_AGAIN_MS);
      count(tally, look, attack, range.seed);
    }
  };
  await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, stream));
  return tally;
}

async function lookAt(
  proxy: FrontProxy,
  backend: RecordingBackend,
  attack: Attack,
  silenceMs: number,
): Promise<Look> {
  const own = readAsServer(attack.bytes);
  const reading = await readAsProxy(proxy, backend, attack.bytes, silenceMs);
  const verdict = compare(own, reading);
  const fault = forwardingFault(reading);
  const smuggled = fault === "" ? "" : `${fault}: ${shown(reading.forwarded)}`;
  const forwarded = reading.forwarded.length;
  if (verdict.kind === "same" || verdict.kind === "stricter")
    return { kind: verdict.kind, reason: "", forwarded, smuggled };
  const reason = reasonFor(proxy.name, verdict, attack.bytes.toString("latin1"));
  if (reason !== null) return { kind: "explained", reason: reason.name, forwarded, smuggled };
  return { kind: "unexplained", reason: JSON.stringify(verdict), forwarded, smuggled };
}

function isWrong(look: Look): boolean {
  return look.kind === "unexplained" || look.smuggled !== "";
}

function count(tally: ProxyTally, look: Look, attack: Attack, seed: number): void {
  const what = `${tally.proxy}, seed ${seed}, attack ${attack.index} (${attack.what})`;
  const bytes = JSON.stringify(attack.bytes.toString("latin1"));
  tally.mutations++;
  tally.forwarded += look.forwarded;
  if (look.smuggled !== "") tally.smuggled.push(`${what}: ${look.smuggled}; sent: ${bytes}`);
  if (look.kind === "explained")
    tally.explained.set(look.reason, (tally.explained.get(look.reason) ?? 0) + 1);
  else if (look.kind === "unexplained") tally.unexplained.push(`${what}: ${look.reason}; sent: ${bytes}`);
  else tally[look.kind]++;
  if (tally.mutations % PROGRESS_EVERY === 0)
    console.error(`${tally.proxy}: ${tally.mutations} attacks, ${tally.forwarded} requests forwarded`);
}

function emptyTally(proxy: ProxyName): ProxyTally {
  return {
    proxy,
    mutations: 0,
    same: 0,
    stricter: 0,
    explained: new Map(),
    unexplained: [],
    forwarded: 0,
    smuggled: [],
  };
}

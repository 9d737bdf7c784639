// A network with a switch whose cables can be pulled: each machine on it is a network name space of its own, joined to a bridge
// in a name space of its own, and so is the host. What is cut off neither hears nor is told; its connections hang.
//
//     host ── tm… ┐                ┌ port0 ── eth0  machine 0: 198.18.n.10
//     198.18.n.1  └ host ─ bridge ─┤ port1 ── eth0  machine 1: 198.18.n.11
//                        (switch)  └ …
//
// The addresses are of the block that RFC 2544 keeps for tests of networks. A name space is held by a process that ends when its
// standard input does, so none outlives this process, however it ends; the cables go with the name spaces.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { findProgram } from "../../bench/programs.ts";
import { withoutNetworkNamespace } from "../bottlenecks/permitted.ts";
import type { NatsPlace } from "../support/nats-server.ts";

const SUBNET_TRIES_MAX = 20;
const COMMAND_MS_MAX = 10_000;
/** The host's address ends so, the first machine's with FIRST_MACHINE. */
const HOST = 1;
const FIRST_MACHINE = 10;

/** The process that holds a name space: it says so when it is there, and ends with its standard input. */
interface Holder {
  readonly child: ChildProcess;
  readonly enter: readonly string[];
}

export class CutNetwork {
  /** Where the machines are, to start programs there. */
  readonly places: readonly NatsPlace[];
  private readonly holders: readonly Holder[];

  private constructor(places: readonly NatsPlace[], holders: readonly Holder[]) {
    this.places = places;
    this.holders = holders;
  }

  /** Throws where the system does not let us; ask cutNetworkMissing() first. */
  static async open(machines: number): Promise<CutNetwork> {
    const holders = await Promise.all(Array.from({ length: machines + 1 }, openNamespace));
    try {
      const [hub, ...rest] = holders as [Holder, ...Holder[]];
      const subnet = await joinHost(hub);
      const places = rest.map((machine, index) => joinMachine(hub, machine, index, subnet));
      return new CutNetwork(places, holders);
    } catch (error) {
      for (const { child } of holders) child.kill("SIGKILL");
      throw error;
    }
  }

  /** Pulls the machine's cable out of the switch. */
  cut(machine: number): void {
    run([...this.holders[0]!.enter, "ip", "link", "set", `port${machine}`, "down"]);
  }

  mend(machine: number): void {
    run([...this.holders[0]!.enter, "ip", "link", "set", `port${machine}`, "up"]);
  }

  /** The machine and the others lose each other; the host still reaches them all. */
  splitOff(machine: number): void {
    for (const host of this.hostsBeside(machine))
      run([...this.holders[machine + 1]!.enter, "ip", "route", "add", "blackhole", host]);
  }

  join(machine: number): void {
    for (const host of this.hostsBeside(machine))
      run([...this.holders[machine + 1]!.enter, "ip", "route", "del", "blackhole", host]);
  }

  private hostsBeside(machine: number): string[] {
    return this.places.filter((_, index) => index !== machine).map(({ host }) => host);
  }

  /** What still runs on the machines keeps their name spaces: end it first. */
  close(): void {
    for (const { child } of this.holders) child.kill("SIGKILL");
  }
}

/** Why no such network can be had here; null where it can. */
export async function cutNetworkMissing(): Promise<string | null> {
  const missing =
    withoutNetworkNamespace() ?? (findProgram("nsenter") === null ? "nsenter is not installed" : null);
  if (missing !== null) return missing;
  try {
    const network = await CutNetwork.open(1);
    network.close();
    return null;
  } catch (error) {
    return `no network of its own here: ${(error as Error).message}`;
  }
}

async function openNamespace(): Promise<Holder> {
  const child = spawn("unshare", ["-n", "sh", "-c", "ip link set lo up && echo there && exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const said = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
  if (String(said[0]).trim() !== "there") throw new Error("no network name space could be made");
  return { child, enter: ["nsenter", "-t", `${child.pid}`, "-n"] };
}

/** Makes the switch and plugs the host in. Returns the network's first three numbers. */
async function joinHost(hub: Holder): Promise<string> {
  const cable = `tm${randomBytes(5).toString("hex")}`;
  run(["ip", "link", "add", cable, "type", "veth", "peer", "name", "host", "netns", `${hub.child.pid}`]);
  run([...hub.enter, "ip", "link", "add", "bridge", "type", "bridge"]);
  run([...hub.enter, "ip", "link", "set", "bridge", "up"]);
  run([...hub.enter, "ip", "link", "set", "host", "master", "bridge", "up"]);
  for (let attempt = 0; attempt < SUBNET_TRIES_MAX; attempt++) {
    const subnet = `198.${randomInt(18, 20)}.${randomInt(256)}`;
    run(["ip", "addr", "add", `${subnet}.${HOST}/24`, "dev", cable]);
    // Somebody else's test may have had the same thought: then both look elsewhere.
    const taken = run(["ip", "-o", "-4", "addr", "show", "to", `${subnet}.0/24`]);
    if (taken.trim().split("\n").length === 1) {
      run(["ip", "link", "set", cable, "up"]);
      return subnet;
    }
    run(["ip", "addr", "del", `${subnet}.${HOST}/24`, "dev", cable]);
  }
  throw new Error(`no network of 198.18.0.0/15 was free in ${SUBNET_TRIES_MAX} tries`);
}

function joinMachine(hub: Holder, machine: Holder, index: number, subnet: string): NatsPlace {
  const port = `port${index}`;
  const host = `${subnet}.${FIRST_MACHINE + index}`;
  const { pid } = machine.child;
  run([...hub.enter, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", `${pid}`]);
  run([...hub.enter, "ip", "link", "set", port, "master", "bridge", "up"]);
  run([...machine.enter, "ip", "addr", "add", `${host}/24`, "dev", "eth0"]);
  run([...machine.enter, "ip", "link", "set", "eth0", "up"]);
  return { host, wrapper: machine.enter };
}

function run(command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    timeout: COMMAND_MS_MAX,
  });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr.trim() || `ended with ${status}`}`);
  return stdout;
}

// What happens to the NATS nodes: one at a time, and more than the cluster can do without.

import assert from "node:assert/strict";
import { oneOf } from "../../crash/random.ts";
import type { NatsNode } from "../../support/nats-server.ts";
import { eventually } from "../../support/server-process.ts";
import { type Bed, present } from "../bed.ts";
import type { Fault } from "../fault.ts";

/** Longest wait for another leader, milliseconds: an election takes 4 to 9 s after the last word of the old one. */
const ELECTION_MS_MAX = 60_000;
const TRY_MS_MAX = 20_000;

export const NATS_KILL: Fault = {
  name: "nats-kill",
  what: "a NATS node killed with SIGKILL, and back on its disk",
  injected: "kill(2), 0.5 to 10 s without it",
  promise: "replicated",
  async run(bed) {
    const node = anyOf(bed);
    await node.kill();
    await bed.load(500, 10_000);
    await backAgain(bed, [node]);
  },
};

export const NATS_LEADER_KILL: Fault = {
  name: "nats-leader-kill",
  what: "the stream's leader killed with SIGKILL, and back when another leads",
  injected: "kill(2) to the leader that $JS.API.STREAM.INFO names",
  promise: "replicated",
  async run(bed) {
    const leader = await leaderOf(bed);
    await leader.kill();
    await otherLeads(bed, leader);
    await backAgain(bed, [leader]);
  },
};

export const NATS_PAUSE: Fault = {
  name: "nats-pause",
  what: "a NATS node paused, and going on as if nothing had been",
  injected: "SIGSTOP, SIGCONT after 1 to 15 s",
  promise: "replicated",
  async run(bed) {
    const node = await leaderOrAny(bed);
    node.pause();
    await bed.load(1_000, 15_000);
    node.resume();
    await bed.whole();
  },
};

export const NATS_RESTART: Fault = {
  name: "nats-restart",
  what: "a NATS node stopped in good order and started on its disk",
  injected: "SIGTERM",
  promise: "replicated",
  async run(bed) {
    const node = anyOf(bed);
    await node.stop();
    await backAgain(bed, [node]);
  },
};

export const NATS_CUT_OFF: Fault = {
  name: "nats-cut-off",
  what: "a NATS node cut off from the others and from everybody",
  injected: "its cable pulled out of a switch (veth down in a network name space), 3 to 20 s",
  promise: "replicated",
  missing: (bed) => bed.cutMissing,
  async run(bed) {
    const node = await leaderOrAny(bed);
    const machine = bed.nats.nodes.indexOf(node);
    const network = present(bed.network, "there is a network to cut");
    network.cut(machine);
    await bed.load(3_000, 20_000);
    network.mend(machine);
    await bed.whole();
  },
};

export const NATS_SPLIT_OFF: Fault = {
  name: "nats-split-off",
  what: "a NATS node cut off from the others, which clients and drains still reach",
  injected:
    "routes to the other two into a black hole, 3 to 20 s; meanwhile every node must come to replicate",
  promise: "replicated",
  missing: (bed) => bed.cutMissing,
  async run(bed) {
    const node = await leaderOrAny(bed);
    const machine = bed.nats.nodes.indexOf(node);
    const network = present(bed.network, "there is a network to cut");
    network.splitOff(machine);
    await bed.load(3_000, 20_000);
    // Two are a majority, and within reach.
    await bed.serves();
    network.join(machine);
    await bed.whole();
  },
};

export const NATS_MAJORITY_KILL: Fault = {
  name: "nats-majority-kill",
  what: "two of three NATS nodes killed at once, and back",
  injected: "kill(2) to both; meanwhile a batch at `synced` must be taken",
  promise: "replicated",
  async run(bed) {
    const nodes = twoOf(bed);
    await Promise.all(nodes.map((node) => node.kill()));
    await takesMeanwhile(bed);
    await bed.load(500, 10_000);
    await backAgain(bed, nodes);
  },
};

export const NATS_MAJORITY_CUT_OFF: Fault = {
  name: "nats-majority-cut-off",
  what: "every NATS node cut off from every other",
  injected: "all cables pulled; meanwhile a batch at `synced` must be taken",
  promise: "replicated",
  missing: (bed) => bed.cutMissing,
  async run(bed) {
    const network = present(bed.network, "there is a network to cut");
    for (const machine of bed.nats.nodes.keys()) network.cut(machine);
    await takesMeanwhile(bed);
    await bed.load(3_000, 20_000);
    for (const machine of bed.nats.nodes.keys()) network.mend(machine);
    await bed.whole();
  },
};

export const NATS_ALL_KILL: Fault = {
  name: "nats-all-kill",
  what: "all NATS nodes killed at once, and back",
  injected: "kill(2) to all three; meanwhile a batch at `synced` must be taken",
  promise: "replicated",
  async run(bed) {
    await Promise.all(bed.nats.nodes.map((node) => node.kill()));
    await takesMeanwhile(bed);
    await bed.load(500, 5_000);
    await backAgain(bed, bed.nats.nodes);
  },
};

function anyOf(bed: Bed): NatsNode {
  return oneOf(bed.random, bed.nats.nodes);
}

function twoOf(bed: Bed): NatsNode[] {
  const spared = anyOf(bed);
  return bed.nats.nodes.filter((node) => node !== spared);
}

function leaderOf(bed: Bed): Promise<NatsNode> {
  return eventually("the stream has a leader", () => bed.streamLeader(), ELECTION_MS_MAX);
}

/** Half of the time the one that it hurts most. */
function leaderOrAny(bed: Bed): Promise<NatsNode> {
  const node = anyOf(bed);
  return bed.random() < 0.5 ? leaderOf(bed) : Promise.resolve(node);
}

async function otherLeads(bed: Bed, old: NatsNode): Promise<void> {
  await eventually(
    "another node leads the stream",
    async () => {
      const leader = await bed.streamLeader();
      return leader !== undefined && leader !== old;
    },
    ELECTION_MS_MAX,
  );
}

async function backAgain(bed: Bed, nodes: readonly NatsNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.restart()));
  await bed.whole();
}

/** Without the cluster the nodes serve on, but for those that promise `replicated` to everybody. */
async function takesMeanwhile(bed: Bed): Promise<void> {
  const node = bed.ingest.find(({ isRunning, level }) => isRunning && level !== "replicated");
  if (node === undefined) return;
  const status = await node.tryStore("synced", TRY_MS_MAX);
  // Null where another fault took the node meanwhile.
  if (status !== null) assert.equal(status, 200, `${node.name} without the cluster: ${node.said}`);
}

// Load from several machines, each a process here: real agents, a real NATS server, real targets. What is compared are
// counts; how quick anything was is the machine's.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "@nats-io/transport-node";
import {
  decodeFromAgent,
  type FromAgent,
  SUBJECT_OF_ALL,
  subjectOfAgent,
  subjectOfCoordinator,
} from "../../src/capacity/agents/agent-messages.ts";
import { MessageChannel } from "../../src/capacity/agents/message-channel.ts";
import { newSender } from "../../src/capacity/agents/message-parts.ts";
import type { LoadJson, ReportJson } from "../../src/capacity/report/report-json.ts";
import { CountingServer } from "../support/counting-server.ts";
import { type LoadOutcome, type LoadProcess, loadJson, runLoad, spawnLoad } from "../support/load-process.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { readStats } from "../support/requests.ts";
import { eventually, startServer, stopServers } from "../support/server-process.ts";
import { type AgentProcess, spawnAgent, startAgent, stopAgents } from "./agent-process.ts";
import { runCapacity } from "./capacity-process.ts";

const agents: AgentProcess[] = [];
const targets: CountingServer[] = [];
const scratch = mkdtempSync(join(tmpdir(), "tidemark-agents-"));
let nats = "";
let natsNode: NatsNode;

before(async () => {
  if (natsServerMissing !== false) return;
  natsNode = await startNatsServer();
  nats = natsNode.url;
});
after(async () => {
  await stopAgents(agents);
  for (const target of targets) target.stop();
  await stopServers();
  await stopNatsServers();
  rmSync(scratch, { recursive: true, force: true });
});

const OPTIONS = { timeout: 60_000, skip: natsServerMissing };

async function agentNamed(name: string): Promise<AgentProcess> {
  const agent = await startAgent(nats, name);
  agents.push(agent);
  return agent;
}

async function startTarget(): Promise<CountingServer> {
  const target = await new CountingServer().start();
  targets.push(target);
  return target;
}

/** A machine that is busy with other things makes agents late, which voids the run; nothing else may. */
function assertCounts(json: LoadJson, { exitCode, error }: LoadOutcome): void {
  if (json.void !== null) assert.match(json.void, /more than [\d.]+ ms late|it began \d+ ms after/);
  assert.equal(exitCode, json.void === null ? 0 : 2, error);
}

/** As eventually(), and at once with what it said where the load has ended before; no load is left running by a failure. */
async function whileRunning(load: LoadProcess, what: string, condition: () => boolean): Promise<void> {
  const ended = load.ended.then(({ exitCode, error }) => {
    throw new Error(`the load ended with ${exitCode} before: ${what}; it said ${error}`);
  });
  ended.catch(() => {});
  try {
    await Promise.race([eventually(what, condition), ended]);
  } catch (error) {
    load.child.kill("SIGKILL");
    throw error;
  }
}

/** Where the machine stood still for the second that an answer has, at the end of a run, it is run again. */
async function loadInTime(words: readonly string[]): Promise<{ json: LoadJson; outcome: LoadOutcome }> {
  for (let left = 2; ; left--) {
    const run = await loadJson(words);
    if (run.json.errors.timeout === undefined || left === 0) return run;
  }
}

/** By all agents: from a coordinator that asks although it was told that they work, as one that is a moment too late does. */
async function assertClaimRefused(): Promise<void> {
  const connection = await connect({ servers: nats });
  const refusals: string[] = [];
  const self = newSender("0f0f", "too-late");
  const channel = new MessageChannel<FromAgent>(connection, self, {
    decode: decodeFromAgent,
    onMessage(message, sender) {
      if (message.kind === "here") channel.send(subjectOfAgent(sender.id), { kind: "claim" });
      else if (message.kind === "refused") refusals.push(`${sender.name}: ${message.reason}`);
      else refusals.push(`${sender.name} said ${message.kind}`);
    },
    onFault: (_sender, reason) => refusals.push(reason),
  });
  channel.listen(subjectOfCoordinator(self.id));
  channel.send(SUBJECT_OF_ALL, { kind: "who" });
  await eventually("both answer", () => refusals.length === 2);
  await connection.close();
  assert.match(refusals.sort().join(", "), /^a: it works for \S+, b: it works for \S+$/);
}

const RATE = ["--rate", "300", "--duration", "1s", "--clients", "10"];

describe("tidemark load --agents", () => {
  test("counts the same with one agent and with two, for the same offered load", OPTIONS, async () => {
    const server = await startServer();
    const words = ["--agents", nats, "--url", `${server.address}/metrics`, ...RATE];
    await agentNamed("a");
    const one = await loadInTime([...words, "--agents-min", "1"]);
    const storedByOne = (await readStats(server.port)).requests;
    await agentNamed("b");
    const two = await loadInTime([...words, "--agents-min", "2"]);
    const stored = (await readStats(server.port)).requests;
    for (const { json, outcome } of [one, two]) {
      assertCounts(json, outcome);
      assert.equal(json.requests, 300);
      assert.equal(json.planned, 300);
      assert.equal(json.success, 1);
      assert.deepEqual(json.statuses, { "200": 300 });
      assert.equal(json.connections.opened, 10);
      assert.equal(json.connections.clients_answered, 10);
    }
    const partsOf = ({ json }: { json: LoadJson }) =>
      json.agents!.parts.map(({ name, clients, planned, requests, succeeded }) => [
        name,
        clients,
        planned,
        requests,
        succeeded,
      ]);
    assert.deepEqual(partsOf(one), [["a", 10, 300, 300, 300]]);
    assert.deepEqual(partsOf(two), [
      ["a", 5, 150, 150, 150],
      ["b", 5, 150, 150, 150],
    ]);
    assert.ok(two.json.agents!.starts_apart_ms !== null);
    assert.ok(stored - storedByOne >= 300 && storedByOne >= 300, `${storedByOne} and ${stored} arrived`);
  });

  test(
    "sends exactly what was asked for, in every kind of loop, and gives every client its number",
    OPTIONS,
    async () => {
      const kinds = [
        ["--clients", "5", "--requests", "12"],
        ["--clients", "1", "--requests", "60"],
      ];
      for (const flags of kinds) {
        const target = await startTarget();
        const { json, outcome } = await loadJson([
          "--agents",
          nats,
          "--agents-min",
          "2",
          "--url",
          target.url,
          ...flags,
        ]);
        assertCounts(json, outcome);
        assert.equal(json.requests, 60);
        assert.equal(target.requests, 60);
        const names = new Set([...target.heads.keys()].map((head) => /X-Client-Id: (\S+)/.exec(head)?.[1]));
        const clients = Number(flags[1]);
        assert.deepEqual(
          [...names].sort(),
          Array.from({ length: clients }, (_, index) => `load-${index}`).sort(),
        );
      }
    },
  );

  test("refuses a second coordinator with words while the first one works", OPTIONS, async () => {
    const target = await startTarget();
    const words = ["--agents", nats, "--url", target.url, "--rate", "100", "--duration", "60s"];
    const first = spawnLoad([...words, "--json"]);
    await whileRunning(first, "the first one sends", () => target.requests > 0);
    const second = await runLoad(words);
    assert.equal(second.exitCode, 2);
    assert.match(
      second.error,
      /^cannot send from 1 agent \(--agents-min\) because a works for \S+, b works for \S+; wait /,
    );
    await assertClaimRefused();
    first.child.kill("SIGINT");
    const { out } = await first.ended;
    const json = JSON.parse(out) as LoadJson;
    assert.equal(json.requests, target.requests);
  });

  test("waits for as many as are wanted, and then says whom it found", OPTIONS, async () => {
    const { exitCode, error } = await runLoad([
      "--agents",
      nats,
      "--agents-min",
      "3",
      "--agents-wait",
      "800ms",
    ]);
    assert.equal(exitCode, 2);
    assert.match(
      error,
      /^cannot send from 3 agents \(--agents-min\) because a is free, b is free; start tidemark agent /,
    );
  });

  test("refuses an agent of another version, by its name", OPTIONS, async () => {
    const connection = await connect({ servers: nats });
    connection.subscribe("tidemark.agents.who", {
      callback: (_error, { data }) => {
        const id = / ([0-9a-f]+) /.exec(Buffer.from(data).toString("latin1"))![1];
        connection.publish(
          `tidemark.agents.coordinator.${id}`,
          "tidemark-agents/2 0123abcd old-one 1 0 1\n{}",
        );
      },
    });
    await connection.flush();
    const { exitCode, error } = await runLoad(["--agents", nats]);
    await connection.close();
    assert.equal(exitCode, 2);
    assert.match(
      error,
      /^cannot use the agents at nats:\S+ because old-one speaks version 2 .*this tidemark version 1; run the same/,
    );
  });
});

describe("tidemark capacity --agents", () => {
  test(
    "runs its levels from the agents, and does not take this machine's side for theirs",
    OPTIONS,
    async () => {
      const server = await startServer();
      const out = join(scratch, "report");
      const words = ["--agents", nats, "--agents-min", "2", "--target", server.address, "--out", out];
      const { exitCode, error } = await runCapacity([...words, "--ladder", "2", "--level-time", "200ms"]);
      assert.ok(exitCode === 0 || exitCode === 1 || exitCode === 2, error);
      const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as ReportJson;
      assert.ok(report.levels.length > 0);
      const paced = report.levels.find(({ kind }) => kind === "paced")!;
      assert.deepEqual(
        paced.agents!.parts.map(({ name, clients }) => [name, clients]),
        [
          ["a", 1],
          ["b", 1],
        ],
      );
      const single = report.levels.find(({ id }) => id === "unpaced-1")!;
      assert.deepEqual(
        single.agents!.parts.map(({ name }) => name),
        ["a"],
      );
      const ports = report.suspects.find(({ id }) => id === "client-ports")!;
      assert.equal(ports.verdict, "unknown");
      assert.match(error, /2 agents: a on \S+, b on \S+/);
      assert.match(
        report.findings.join(" "),
        /The load came from 2 agents: a on \S+, b on \S+; in each level /,
      );
    },
  );
});

describe("an agent", () => {
  test(
    "that is killed voids its share: who, and what is missing, with the other's figures",
    OPTIONS,
    async () => {
      const target = await startTarget();
      const [, b] = agents;
      const words = ["--rate", "200", "--duration", "60s", "--clients", "8", "--json"];
      const load = spawnLoad(["--agents", nats, "--agents-min", "2", "--url", target.url, ...words]);
      let told = "";
      load.child.stderr!.on("data", (text: string) => {
        told += text;
      });
      await whileRunning(load, "both send", () => target.connections >= 8 && target.requests > 40);
      b!.child.kill("SIGKILL");
      await whileRunning(load, "its loss is told", () => /^agent b on \S+ is lost: it died/m.test(told));
      load.child.kill("SIGINT");
      const { exitCode, out, error } = await load.ended;
      assert.equal(exitCode, 2);
      const json = JSON.parse(out) as LoadJson;
      assert.match(
        json.void!,
        /agent b on \S+: died, or lost its connection to NATS; its share is missing from all figures \(4 of 8 clients, 6000 of 12000 planned requests\)/,
      );
      assert.match(error, /^void: .*agent b/m);
      const [ofA, ofB] = json.agents!.parts;
      assert.deepEqual([ofA!.name, ofA!.requests, ofA!.succeeded], ["a", json.requests, json.requests]);
      assert.deepEqual([ofB!.name, ofB!.requests, ofB!.succeeded], ["b", null, null]);
      assert.ok(
        json.requests > 0 && json.requests < target.requests,
        `${json.requests} of ${target.requests}`,
      );
      assert.equal(json.success, 1);
    },
  );

  test(
    "ends before its plan does where the coordinator is killed, and then works for another",
    OPTIONS,
    async () => {
      const target = await startTarget();
      const [a] = agents;
      const before = a!.said().length;
      const load = spawnLoad(["--agents", nats, "--url", target.url, "--rate", "100", "--duration", "10s"]);
      await whileRunning(load, "it sends", () => target.requests > 0);
      load.child.kill("SIGKILL");
      await eventually("it is free", () =>
        /lets go of \S+: it is gone\n.*is free/s.test(a!.said().slice(before)),
      );
      const sent = target.requests;
      assert.ok(sent < 1000, `${sent} requests`);
      const { json, outcome } = await loadJson([
        "--agents",
        nats,
        "--url",
        target.url,
        "--rate",
        "100",
        "--duration",
        "200ms",
      ]);
      assertCounts(json, outcome);
      assert.equal(target.requests, sent + 20);
    },
  );

  test(
    "that is told to end exits with 0, and says to whom it worked for that it is gone",
    OPTIONS,
    async () => {
      const target = await startTarget();
      const [a] = agents;
      const load = spawnLoad([
        "--agents",
        nats,
        "--url",
        target.url,
        "--rate",
        "100",
        "--duration",
        "20s",
        "--json",
      ]);
      await whileRunning(load, "it sends", () => target.requests > 0);
      a!.child.kill("SIGTERM");
      assert.equal(await a!.ended, 0);
      const { exitCode, out } = await load.ended;
      assert.equal(exitCode, 2);
      assert.match(
        (JSON.parse(out) as LoadJson).void!,
        /^agent a on \S+: it was told to end; its share is missing/,
      );
    },
  );

  const refused: readonly (readonly [words: string[], exitCode: number, text: RegExp])[] = [
    [[], 2, /^cannot wait for work because --nats is missing; try /],
    [
      ["--nats", "127.0.0.1"],
      2,
      /^cannot use --nats "127.0.0.1" because it is no address of NATS; try nats:\/\//,
    ],
    [["--nats", "nats://127.0.0.1:4222", "--name", "a b"], 2, /^cannot use --name "a b" because /],
    [
      ["--nats", "nats://127.0.0.1:1"],
      1,
      /^cannot reach NATS at nats:\/\/127.0.0.1:1 because nothing listens there; /,
    ],
  ];
  test("says what is wrong with its command line, or with the way to NATS", { timeout: 60_000 }, async () => {
    const asked = refused.map(async ([words, exitCode, text]) => {
      const agent = spawnAgent(words);
      assert.equal(await agent.ended, exitCode, agent.said());
      assert.match(agent.said(), text);
    });
    const [load] = await Promise.all([runLoad(["--agents", "http://127.0.0.1:1"]), ...asked]);
    assert.equal(load.exitCode, 2);
    assert.match(
      load.error,
      /^cannot use --agents "http:\/\/127.0.0.1:1" because it is no address of NATS; try /,
    );
  });

  test("ends when it is told to where NATS has gone away", OPTIONS, async () => {
    const agent = await agentNamed("c");
    await natsNode.kill();
    agent.child.kill("SIGTERM");
    assert.equal(await agent.ended, 0);
  });
});

// The diagnosis against evidence whose cause is known: each cause alone, causes with their symptoms, noise, near misses.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LevelEvidence } from "../evidence/level-evidence.ts";
import { diagnose } from "./diagnose.ts";
import { FOREIGN, type LevelParts, makeInput, makeLevel, OWN, REMOTE } from "./evidence-bed.ts";
import { CROWDED, PINNED, PLANTED_CASES, stallsEvery } from "./planted-evidence.ts";
import { SUSPECT_IDS, type Suspect, type SuspectId, type Verdict } from "./suspect.ts";

const VERDICTS: readonly Verdict[] = ["confirmed", "possible", "unknown", "ruled-out"];

function confirmedOf(suspects: readonly Suspect[]): SuspectId[] {
  return suspects.filter(({ verdict }) => verdict === "confirmed").map(({ id }) => id);
}

function suspectOf(suspects: readonly Suspect[], id: SuspectId): Suspect {
  return suspects.find((suspect) => suspect.id === id)!;
}

function verdictOf(parts: LevelParts, id: SuspectId, target = OWN): Verdict {
  return suspectOf(diagnose(makeInput([makeLevel(parts)], target)), id).verdict;
}

function explain(suspects: readonly Suspect[]): string {
  return suspects
    .filter(({ verdict }) => verdict !== "ruled-out")
    .map(
      (suspect) =>
        `${suspect.id} ${suspect.verdict}: ${suspect.for.join(" ")} − ${suspect.against.join(" ")}`,
    )
    .join("\n");
}

describe("a planted limit is named first and alone", () => {
  for (const { name, first, input } of PLANTED_CASES) {
    test(`${first}: ${name}`, () => {
      const suspects = diagnose(input);
      assert.deepEqual(confirmedOf(suspects), [first], explain(suspects));
      assert.equal(suspects[0]!.id, first);
    });
  }
});

describe("every diagnosis", () => {
  test("has every suspect once, in the order of verdicts and weights, with advice and without contradiction", () => {
    for (const { name, input } of PLANTED_CASES) {
      const suspects = diagnose(input);
      assert.deepEqual(suspects.map(({ id }) => id).sort(), [...SUSPECT_IDS].sort(), name);
      for (const [index, suspect] of suspects.entries()) {
        assertSound(suspect, name);
        const next = suspects[index + 1];
        if (next === undefined) continue;
        const order = VERDICTS.indexOf(suspect.verdict) - VERDICTS.indexOf(next.verdict);
        assert.ok(order < 0 || (order === 0 && suspect.weight >= next.weight), `${name}: ${suspect.id}`);
      }
    }
  });

  test("is the same each time", () => {
    for (const { input } of PLANTED_CASES) assert.deepEqual(diagnose(input), diagnose(input));
  });

  test("fills the pid and the port into its commands where they are known, and a word where not", () => {
    const known = diagnose(makeInput([makeLevel()]));
    assert.match(suspectOf(known, "descriptors").check, /\/proc\/4242\/limits/);
    assert.match(suspectOf(known, "listen-queue").check, /:8080/);
    const unknown = diagnose(makeInput([makeLevel()], REMOTE));
    assert.match(suspectOf(unknown, "descriptors").check, /\/proc\/PID\/limits/);
    assert.match(suspectOf(unknown, "listen-queue").check, /:80'/);
  });
});

/** What holds for any suspect of any diagnosis. */
function assertSound(suspect: Suspect, name: string): void {
  const where = `${name}: ${suspect.id} ${suspect.verdict}`;
  assert.ok(suspect.weight >= 0 && suspect.weight <= 1, where);
  assert.ok(suspect.title !== "" && suspect.check !== "" && suspect.fix !== "", where);
  const { remedy } = suspect;
  if (remedy.kind === "none") assert.ok(remedy.why.length > 10, where);
  if (remedy.kind === "flags")
    assert.ok(remedy.flags.length >= 2 && remedy.flags[0]!.startsWith("--"), where);
  if (remedy.kind === "descriptors") assert.ok(remedy.count >= 1024, where);
  if (suspect.verdict === "confirmed" || suspect.verdict === "possible")
    assert.ok(suspect.for.length > 0, where);
  if (suspect.verdict === "ruled-out") {
    assert.deepEqual(suspect.for, [], where);
    assert.ok(suspect.against.length > 0, where);
  }
  const said = [...suspect.for, ...suspect.against];
  assert.equal(new Set(said).size, said.length, `${where}: ${said.join(" ")}`);
  for (const sentence of said) {
    assert.match(sentence, /^[A-Z0-9–−]/, where);
    assert.doesNotMatch(sentence, /NaN|Infinity|undefined|null|unknown ms/, `${where}: ${sentence}`);
    assert.match(sentence, /[.)]$/, `${where}: ${sentence}`);
  }
  const { predicted } = suspect.gain;
  assert.ok(predicted === null || (predicted >= 1 && Number.isFinite(predicted)), where);
}

/** What is seen of a server that is no Tidemark. */
const FOREIGN_EVIDENCE = { stats: null } as const;

describe("causes and their symptoms", () => {
  const held = PLANTED_CASES.find(({ name }) => name.includes("origin"))!;

  test("the origin's case: the pool, and neither descriptors nor the queue that filled up behind it", () => {
    const crowded = { ...held.input, limiting: held.input.levels.length - 1 };
    const suspects = diagnose(crowded);
    assert.deepEqual(confirmedOf(suspects), ["pool"], explain(suspects));
    assert.equal(suspectOf(suspects, "descriptors").verdict, "ruled-out");
    const queue = suspectOf(suspects, "listen-queue");
    assert.equal(queue.verdict, "possible");
    assert.match(queue.against.join(" "), /did not accept from it/);
    assert.match(suspects[0]!.for.join(" "), /16 of 500 clients .* same in 3 levels/);
  });

  test("a server without descriptors: the queue that overflows behind it is possible and says whose it is", () => {
    const input = PLANTED_CASES.find(({ name }) => name.includes("EMFILE"))!.input;
    const queue = suspectOf(diagnose(input), "listen-queue");
    assert.equal(queue.verdict, "possible");
    assert.match(queue.against.join(" "), /follows from the confirmed suspect "file descriptors"/);
  });

  test("a processor at its limit that overflows its queue by being slow is the cause itself", () => {
    const parts: LevelParts = {
      kind: "unpaced",
      clients: 10_000,
      succeeded: 25_000,
      opened: 20_000,
      latency: [[1_900, 25_000]],
      connect: [
        [300, 15_000],
        [1_050, 5_000],
      ],
      plan: { keepAlive: false },
      evidence: { ...PINNED, acceptQueueMax: 4_097, listenOverflows: 9_000, acceptQueueMedian: 3_000 },
    };
    const suspects = diagnose(makeInput([makeLevel(parts)]));
    assert.deepEqual(confirmedOf(suspects), ["one-thread"], explain(suspects));
    assert.equal(suspectOf(suspects, "listen-queue").verdict, "possible");
  });

  test("a retried handshake is no stall of the target, however regular the silences are", () => {
    const input = PLANTED_CASES.find(({ name }) => name.includes("bursts"))!.input;
    const { level, evidence } = input.levels[0]!;
    const stalls = stallsEvery(1_000, 900, 5, 1_000_000);
    const suspects = diagnose({
      ...input,
      levels: [{ level: { ...level, load: { ...level.load, stalls } }, evidence }],
    });
    assert.deepEqual(confirmedOf(suspects), ["listen-queue"], explain(suspects));
  });

  test("requests that lie unread though the server has time are waiting for a worker", () => {
    const parts = { kind: "unpaced", clients: 32, latency: [[40, 4_000]], succeeded: 4_000 } as const;
    const level = makeLevel({ ...parts, evidence: { stats: null, acceptQueueMedian: 16 } });
    const suspects = diagnose(makeInput([level], FOREIGN));
    assert.deepEqual(confirmedOf(suspects), ["pool"], explain(suspects));
    const busy = makeLevel({ ...parts, evidence: { ...PINNED, stats: null, acceptQueueMedian: 16 } });
    assert.deepEqual(confirmedOf(diagnose(makeInput([busy], FOREIGN))), ["one-thread"]);
  });

  test("requests seen unread of a server that answers at once were held up by the look", () => {
    const evidence = { ...FOREIGN_EVIDENCE, unreadSocketsMedian: 16 };
    assert.notEqual(verdictOf({ clients: 30, inFlight: 3, evidence }, "pool", FOREIGN), "confirmed");
    assert.equal(verdictOf({ clients: 30, inFlight: 20, evidence }, "pool", FOREIGN), "confirmed");
  });

  test("a rival beside a server that refuses is not what stops it", () => {
    const evidence = {
      hottestThread: { name: "ingest-0", tid: 4243, ratio: 0.5, waitRatio: 0.4 },
      otherCores: 1,
      machineRatio: 0.99,
    };
    const parts: LevelParts = {
      kind: "unpaced",
      succeeded: 100,
      errors: { rate_limited: 20_000 },
      evidence,
      stats: { rejected: { rate_limit: 20_000 } },
    };
    assert.equal(verdictOf({ ...parts, errors: {}, stats: {} }, "cpu-quota"), "confirmed");
    assert.equal(verdictOf(parts, "rate-limit"), "confirmed");
    assert.equal(verdictOf(parts, "cpu-quota"), "possible");
  });

  test("a void level confirms nothing of the server, and rules nothing of it out", () => {
    const suspects = diagnose(makeInput([makeLevel({ ...CASE_PINNED, void: "it was too slow" })]));
    assert.deepEqual(confirmedOf(suspects), ["generator"]);
    const ruledOut = suspects.filter(({ verdict }) => verdict === "ruled-out").map(({ id }) => id);
    assert.deepEqual(ruledOut.sort(), ["client-ports", "network"]);
    assert.equal(suspectOf(suspects, "one-thread").verdict, "possible");
  });
});

const CASE_PINNED: LevelParts = {
  kind: "unpaced",
  clients: 16,
  succeeded: 100_000,
  latency: [[0.8, 100_000]],
  evidence: PINNED,
};

describe("noise confirms nothing", () => {
  const quiet: LevelParts = { clients: 50 };

  test("a healthy level under a light load", () => {
    assert.deepEqual(confirmedOf(diagnose(makeInput([makeLevel(quiet)]))), []);
  });

  test("10 to 25 % of the CPU stolen: neither quota nor rivals, and a pinned thread is still seen as one", () => {
    for (const stolenRatio of [0.1, 0.18, 0.25]) {
      const light = diagnose(makeInput([makeLevel({ ...quiet, evidence: { stolenRatio } })]));
      assert.deepEqual(confirmedOf(light), []);
      assert.equal(suspectOf(light, "cpu-quota").verdict, "ruled-out");
      const hottestThread = { ...PINNED.hottestThread, ratio: 0.97 * (1 - stolenRatio) };
      const evidence = { ...PINNED, stolenRatio, hottestThread, processCores: 0.8, machineRatio: 0.9 };
      const pinned = diagnose(makeInput([makeLevel({ ...CASE_PINNED, evidence })]));
      assert.deepEqual(confirmedOf(pinned), ["one-thread"], explain(pinned));
    }
  });

  test("a generator that is busy for 80 % of a core is not the limit", () => {
    const generator = [{ cpuRatio: 0.8, spinRatio: 0, waitRatio: 0.1, loopLagMsMax: 5 }];
    const suspects = diagnose(makeInput([makeLevel({ ...CASE_PINNED, generator })]));
    assert.deepEqual(confirmedOf(suspects), ["one-thread"]);
    assert.equal(suspectOf(suspects, "generator").verdict, "ruled-out");
  });

  test("a generator that waits for a core as the server does leaves it to the cores", () => {
    const generator = [{ cpuRatio: 0.62, spinRatio: 0, waitRatio: 0.36, loopLagMsMax: 9 }];
    const suspects = diagnose(makeInput([makeLevel({ ...CASE_PINNED, evidence: CROWDED, generator })]));
    assert.deepEqual(confirmedOf(suspects), ["all-cores"]);
  });

  test("a few silences at no beat", () => {
    const stalls = [
      { atMs: 300, lastedMs: 120 },
      { atMs: 1_000, lastedMs: 310 },
      { atMs: 3_900, lastedMs: 105 },
    ];
    const latency = [
      [1, 2_400],
      [150, 100],
    ] as const;
    assert.equal(verdictOf({ ...quiet, stalls, latency }, "target-stall"), "possible");
  });

  test("a single silence is named where it is what missed the objective, and nowhere else", () => {
    const stalls = [{ atMs: 300, lastedMs: 201 }];
    const missed = [
      [1, 2_400],
      [150, 100],
    ] as const;
    assert.equal(verdictOf({ ...quiet, stalls, latency: missed }, "target-stall"), "possible");
    assert.equal(verdictOf({ ...quiet, stalls }, "target-stall"), "ruled-out");
  });

  test("overflows of another server in the same network namespace", () => {
    assert.equal(verdictOf({ ...quiet, evidence: { listenOverflows: 40 } }, "listen-queue"), "possible");
  });

  test("interrupts that grow with the load are no rival", () => {
    const light = makeLevel({ clients: 20 });
    const heavy = makeLevel({ ...CASE_PINNED, evidence: { ...CROWDED, otherCores: 0.4 } });
    const suspects = diagnose(makeInput([light, heavy]));
    assert.deepEqual(confirmedOf(suspects), ["all-cores"], explain(suspects));
  });

  test("a rival that holds up the generator as well disturbs everything: no more than possible", () => {
    const waiting = { name: "node", tid: 4242, ratio: 0.3, waitRatio: 0.65 };
    const evidence = { hottestThread: waiting, otherCores: 1.5, processCores: 0.3, machineRatio: 1 };
    const alone = diagnose(makeInput([makeLevel({ ...CASE_PINNED, evidence })]));
    assert.deepEqual(confirmedOf(alone), ["cpu-quota"]);
    const generator = [{ cpuRatio: 0.1, spinRatio: 0, waitRatio: 0.5, loopLagMsMax: 90 }];
    const both = diagnose(makeInput([makeLevel({ ...CASE_PINNED, evidence, generator })]));
    assert.equal(suspectOf(both, "cpu-quota").verdict, "possible");
    assert.match(suspectOf(both, "cpu-quota").for.join(" "), /the whole measurement is disturbed/);
  });

  test("others that fill the machine while the server sleeps are neither rivals nor its own use", () => {
    const suspects = diagnose(makeInput([makeLevel({ evidence: { otherCores: 1.6, machineRatio: 1 } })]));
    assert.deepEqual(confirmedOf(suspects), []);
    assert.equal(suspectOf(suspects, "all-cores").verdict, "ruled-out");
  });

  test("a slow sync that no request waits for", () => {
    const stats = { ack: "written", syncs: 40, syncMsMean: 110, syncMsP99: 130, syncBusyRatio: 0.95 };
    assert.equal(verdictOf({ ...quiet, stats }, "slow-sync"), "ruled-out");
  });

  test("syncs that follow each other on a quick disk while the processor is the limit", () => {
    const stats = { ack: "synced", syncs: 9_000, syncMsMean: 0.5, syncMsP99: 1, syncBusyRatio: 0.95 };
    const suspects = diagnose(makeInput([makeLevel({ ...CASE_PINNED, stats })]));
    assert.deepEqual(confirmedOf(suspects), ["one-thread"], explain(suspects));
  });
});

describe("on both sides of a threshold", () => {
  const starved: LevelParts = { clients: 200, succeeded: 9_000, answered: 180, errors: { timeout: 500 } };
  const table: readonly (readonly [what: string, id: SuspectId, LevelParts, Verdict])[] = [
    ["descriptors at 79 %", "descriptors", use(79, starved), "ruled-out"],
    ["descriptors at 81 %", "descriptors", use(81, starved), "possible"],
    ["descriptors at 94 %", "descriptors", use(94, starved), "possible"],
    ["descriptors at 95 %", "descriptors", use(95, starved), "confirmed"],
    ["descriptors at 99 % and nobody harmed", "descriptors", use(99, {}), "possible"],
    ["a queue at 49 % of its cap", "listen-queue", queue(49, 0), "ruled-out"],
    ["a queue at 51 % of its cap", "listen-queue", queue(51, 0), "possible"],
    ["a thread at 84 %", "one-thread", thread(0.83, 0.02), "possible"],
    ["a thread at 86 %", "one-thread", thread(0.86, 0.02), "confirmed"],
    ["a thread at 50 %", "one-thread", thread(0.5, 0.02), "ruled-out"],
    ["0.9 % of 429", "rate-limit", limited(0.004), "possible"],
    ["2 % of 429", "rate-limit", limited(0.02), "confirmed"],
    ["no 429", "rate-limit", limited(0), "ruled-out"],
    ["1.5 % of periods throttled", "cpu-quota", throttled(0.015), "possible"],
    ["6 % of periods throttled", "cpu-quota", throttled(0.06), "confirmed"],
    ["no period throttled", "cpu-quota", throttled(0), "ruled-out"],
    ["a loop that lagged 20 ms", "collection", { stats: { eventLoopLagMsMax: 20 } }, "ruled-out"],
    ["a loop that lagged 60 ms", "collection", { stats: { eventLoopLagMsMax: 60 } }, "unknown"],
    ["a loop that lagged 160 ms", "collection", { stats: { eventLoopLagMsMax: 160 } }, "possible"],
    ["a send lag of 0.5 ms", "generator", { sendLagMs: 0.5 }, "ruled-out"],
    ["a send lag of 2 ms", "generator", { sendLagMs: 2 }, "possible"],
    ["a send lag of 8 ms that harms nobody", "generator", { sendLagMs: 8 }, "possible"],
    ["a send lag of 40 ms of a p99 of 60", "generator", late(40), "confirmed"],
    ["a send lag of 20 ms of a p99 of 60", "generator", late(20), "possible"],
    ["ports used to 80 %", "client-ports", ports(80), "ruled-out"],
    ["ports used to 90 %", "client-ports", ports(90), "possible"],
    ["90 % of the control group's memory", "memory", { evidence: { memoryLimitBytes: 112e6 } }, "possible"],
    ["50 % of the control group's memory", "memory", { evidence: { memoryLimitBytes: 202e6 } }, "ruled-out"],
  ];
  for (const [what, id, parts, verdict] of table) {
    test(`${what}: ${id} is ${verdict}`, () => {
      assert.equal(verdictOf(parts, id), verdict);
    });
  }

  function use(percent: number, parts: LevelParts): LevelParts {
    return { ...parts, evidence: { descriptorsUsedMax: percent, descriptorsSoft: 100 } };
  }
  function queue(acceptQueueMax: number, listenOverflows: number): LevelParts {
    return { evidence: { acceptQueueMax, acceptQueueCap: 100, listenOverflows } };
  }
  function thread(ratio: number, waitRatio: number): LevelParts {
    const hottestThread = { ...PINNED.hottestThread, ratio, waitRatio };
    return {
      ...CASE_PINNED,
      evidence: { ...PINNED, hottestThread, processCores: ratio + 0.05, stolenRatio: 0 },
    };
  }
  function limited(share: number): LevelParts {
    return { succeeded: 10_000 * (1 - share), errors: { rate_limited: 10_000 * share } };
  }
  function throttled(throttledPeriodsRatio: number): LevelParts {
    return { evidence: { quotaCores: 1, throttledPeriodsRatio, throttledMs: 100 * throttledPeriodsRatio } };
  }
  function late(sendLagMs: number): LevelParts {
    return {
      sendLagMs,
      latency: [
        [1, 2_300],
        [60, 200],
      ],
    };
  }
  function ports(portsUsedMax: number): LevelParts {
    return { evidence: { portsUsedMax, portsAvailable: 100 } };
  }
});

describe("what only clients can see", () => {
  const blind: Partial<LevelEvidence> = {
    stats: null,
    hottestThread: null,
    processCores: null,
    threadsBusy: null,
    threadsCount: null,
    descriptorsUsedMax: null,
    descriptorsSoft: null,
    acceptQueueMax: null,
    acceptQueueCap: null,
    acceptQueueMedian: null,
    listenOverflows: null,
    listenDrops: null,
    unreadSocketsMedian: null,
    machineRatio: null,
    residentBytesMax: null,
    quotaCores: null,
    diskSleepRatio: null,
    pressureIoRatio: null,
  };

  test("answers of 429 confirm a rate limit", () => {
    const parts = { succeeded: 1_000, errors: { rate_limited: 1_500 }, evidence: blind };
    assert.equal(verdictOf(parts, "rate-limit", REMOTE), "confirmed");
  });

  test("the same number of clients served in two levels confirms a pool, one level leaves it possible", () => {
    const level = (clients: number) =>
      makeLevel({ clients, succeeded: 800, answered: 16, errors: { timeout: clients }, evidence: blind });
    const twice = diagnose(makeInput([level(50), level(200)], REMOTE));
    assert.equal(suspectOf(twice, "pool").verdict, "confirmed");
    assert.equal(suspectOf(diagnose(makeInput([level(50)], REMOTE)), "pool").verdict, "possible");
  });

  test("a server of which nothing is known leaves nearly everything unknown", () => {
    const suspects = diagnose(makeInput([makeLevel({ evidence: blind })], REMOTE));
    const unknown = suspects.filter(({ verdict }) => verdict === "unknown").map(({ id }) => id);
    for (const id of [
      "descriptors",
      "listen-queue",
      "one-thread",
      "all-cores",
      "pool",
      "memory",
      "network",
    ] as const)
      assert.ok(unknown.includes(id), id);
    assert.deepEqual(confirmedOf(suspects), []);
  });

  test("a server that is not ours gets no flags to be tried with", () => {
    for (const suspect of diagnose(makeInput([makeLevel()], FOREIGN)))
      assert.equal(suspect.remedy.kind, "none", suspect.id);
  });
});

// The one promise of the diagnosis that must hold for any evidence: a suspect whose source is missing is never ruled out.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LevelEvidence, StatsEvidence } from "../evidence/level-evidence.ts";
import { diagnose } from "./diagnose.ts";
import { EVIDENCE, FOREIGN, type LevelParts, makeInput, makeLevel, OWN, STATS } from "./evidence-bed.ts";
import type { DiagnosisInput } from "./reading.ts";
import { SUSPECT_IDS, type SuspectId } from "./suspect.ts";

/** Written down here a second time, apart from the rules: what nobody can rule out without. */
const RESTS_ON: readonly (readonly [
  keyof LevelEvidence | `stats.${keyof StatsEvidence & string}`,
  SuspectId,
])[] = [
  ["descriptorsUsedMax", "descriptors"],
  ["descriptorsSoft", "descriptors"],
  ["listenOverflows", "listen-queue"],
  ["acceptQueueMax", "listen-queue"],
  ["acceptQueueCap", "listen-queue"],
  ["hottestThread", "one-thread"],
  ["hottestThread", "pool"],
  ["hottestThread", "cpu-quota"],
  ["processCores", "all-cores"],
  ["machineRatio", "all-cores"],
  ["quotaCores", "cpu-quota"],
  ["stolenRatio", "cpu-quota"],
  ["otherCores", "cpu-quota"],
  ["residentBytesMax", "memory"],
  ["memoryLimitBytes", "memory"],
  ["memoryAvailableBytesMin", "memory"],
  ["portsUsedMax", "client-ports"],
  ["portsAvailable", "client-ports"],
  ["stats", "log-write"],
  ["stats", "slow-sync"],
  ["stats", "disk-full"],
  ["stats", "collection"],
  ["stats", "memory"],
  ["stats.eventLoopLagMsMax", "collection"],
  ["stats.writeMsMean", "log-write"],
  ["stats.queueRatioMax", "log-write"],
  ["stats.ack", "slow-sync"],
  ["stats.memoryRatioMax", "memory"],
  ["stats.diskFreeBytesMin", "disk-full"],
];

const FOREIGN_RESTS_ON: readonly (readonly [keyof LevelEvidence, SuspectId])[] = [
  ["diskSleepRatio", "log-write"],
  ["pressureIoRatio", "log-write"],
];

test("without its source a suspect is not ruled out, in a level where every other one is known and quiet", () => {
  const known = diagnose(quietRun({}));
  for (const [source, id] of RESTS_ON) {
    assert.equal(known.find((suspect) => suspect.id === id)!.verdict, "ruled-out", `${id} with all sources`);
    const suspect = diagnose(quietRun(without(source))).find((each) => each.id === id)!;
    assert.notEqual(suspect.verdict, "ruled-out", `${id} without ${source}`);
    assert.notEqual(suspect.verdict, "confirmed", `${id} without ${source}`);
    assert.match(suspect.against.join(" "), /Not known here: /, `${id} without ${source}`);
  }
  for (const [source, id] of FOREIGN_RESTS_ON) {
    const level = makeLevel({ evidence: { stats: null, [source]: null } });
    const suspect = diagnose(makeInput([level], FOREIGN)).find((each) => each.id === id)!;
    assert.equal(suspect.verdict, "unknown", `${id} without ${source}`);
  }
});

/** Nothing is at a limit, and the rate grows with the clients. */
function quietRun(parts: LevelParts): DiagnosisInput {
  const few = makeLevel({ kind: "unpaced", clients: 4, succeeded: 10_000 });
  return makeInput([few, makeLevel({ kind: "unpaced", clients: 16, succeeded: 40_000, ...parts })]);
}

function without(source: string): LevelParts {
  const field = source.replace("stats.", "");
  if (source.startsWith("stats.")) return { stats: { [field]: null } };
  return { evidence: { [field]: null } };
}

/** Any figure between nothing and past every limit, or null; for a limit also none. */
function anyFigures<T extends object>(model: T): fc.Arbitrary<T> {
  const share = fc.integer({ min: 0, max: 3_000 }).map((thousandths) => thousandths / 1_000);
  const figure = fc.oneof(share, fc.integer({ min: 0, max: 20_000 }));
  const entries = Object.entries(model).map(([key, value]) => {
    if (value === Number.POSITIVE_INFINITY) return [key, fc.oneof(figure, fc.constantFrom(value, null))];
    if (typeof value === "number") return [key, fc.option(figure, { nil: null, freq: 4 })];
    return [key, fc.constantFrom(value, value, value, null)];
  });
  return fc.record(Object.fromEntries(entries)) as fc.Arbitrary<T>;
}

const anyStats = anyFigures(STATS).map(
  (stats): StatsEvidence => ({
    ...stats,
    rejected: {},
    diskStates: stats.diskStates ?? [],
    stagesMs: {},
    threads: stats.threads ?? 1,
    commits: stats.commits ?? 0,
    syncs: stats.syncs ?? 0,
    stored: 1,
    received: 1,
    writeFailures: 0,
    syncFailures: 0,
  }),
);

const anyLevel = fc
  .record({
    evidence: anyFigures(EVIDENCE),
    stats: fc.option(anyStats, { nil: null, freq: 4 }),
    kind: fc.constantFrom("paced" as const, "unpaced" as const, "open" as const),
    clients: fc.integer({ min: 1, max: 500 }),
    answeredShare: fc.constantFrom(0, 0.1, 0.9, 1, 1),
    succeeded: fc.integer({ min: 0, max: 50_000 }),
    timeout: fc.constantFrom(0, 0, 20, 5_000),
    isVoid: fc.constantFrom(false, false, false, true),
  })
  .map(({ evidence, stats, kind, clients, answeredShare, succeeded, timeout, isVoid }) =>
    makeLevel({
      kind,
      clients,
      succeeded,
      answered: Math.round(clients * answeredShare),
      errors: { timeout },
      void: isVoid ? "too slow" : null,
      evidence: { ...evidence, stats, seconds: 5, samples: 20 },
    }),
  );

test("for any evidence with any sources missing: every suspect, once, in order, and none ruled out blindly", () => {
  fc.assert(
    fc.property(
      fc.array(anyLevel, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(OWN, FOREIGN),
      (levels, target) => {
        const input = makeInput(levels, target);
        const suspects = diagnose(input);
        assert.deepEqual(suspects.map(({ id }) => id).sort(), [...SUSPECT_IDS].sort());
        assert.deepEqual(suspects, diagnose(input));
        const { evidence } = levels[input.limiting]!;
        for (const { id, verdict, for: pros, against } of suspects) {
          if (verdict === "confirmed") assert.ok(pros.length > 0, id);
          for (const sentence of [...pros, ...against])
            assert.doesNotMatch(sentence, /NaN|Infinity|undefined|null/, `${id}: ${sentence}`);
          if (verdict !== "ruled-out") continue;
          assert.deepEqual(pros, [], id);
          for (const [source, suspect] of restsOn(target.isTidemark))
            if (suspect === id) assert.notEqual(figureOf(evidence, source), null, `${id} without ${source}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});

function restsOn(isTidemark: boolean): readonly (readonly [string, SuspectId])[] {
  if (isTidemark) return RESTS_ON;
  const ofOthers = RESTS_ON.filter(
    ([source, id]) => !(source.startsWith("stats") && (id === "log-write" || id === "memory")),
  );
  return [...ofOthers, ...FOREIGN_RESTS_ON];
}

function figureOf(evidence: LevelEvidence, source: string): unknown {
  if (!source.startsWith("stats.")) return evidence[source as keyof LevelEvidence];
  return evidence.stats === null ? null : evidence.stats[source.slice(6) as keyof StatsEvidence];
}

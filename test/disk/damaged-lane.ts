// Damages a lane's files and asks of what the server makes of them: every damaged record is found and none that is good,
// only damaged records are lost, their bytes are in quarantine, and nothing is there that was not written.
//
// What no index covers yet (the last moments before a crash, or a segment whose index is damaged too) has no checksum: a
// changed digit there is another good line, which nobody can tell. Those are counted (`unseen`) and not held against it.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realFiles } from "../../src/log/files.ts";
import { recoverLane } from "../../src/log/recovery.ts";
import { type SegmentVerdict, verifyLane } from "../../src/log/verify.ts";
import { oneOf, type Random, wholeBetween } from "../crash/random.ts";
import { DAMAGE_KINDS, type Damage, tryDamage } from "./damage.ts";
import { linesOf, type ModelRecord, type ModelSegment, readLane } from "./lane-model.ts";

const DAMAGES_MAX = 3;

export interface DamagedFile {
  readonly segment: ModelSegment;
  readonly isIndex: boolean;
  readonly damage: Damage;
}

export interface DamageOutcome {
  damages: number;
  /** By kind and file: "flip .jsonl sealed". */
  kinds: string[];
  damagedRecords: number;
  linesLost: number;
  linesKept: number;
  /** Lines that are not as they were written, where no checksum could tell. */
  unseen: number;
  problems: string[];
}

/** Damages up to three files of the lane, no file twice. */
export function damageLane(
  directory: string,
  random: Random,
): { before: ModelSegment[]; damaged: DamagedFile[] } {
  const before = readLane(directory);
  const damaged: DamagedFile[] = [];
  const count = wholeBetween(random, 1, DAMAGES_MAX);
  for (let at = 0; at < count; at++) {
    const segment = oneOf(random, before);
    const isIndex = oneOf(random, [true, false, false]);
    if (damaged.some((file) => file.segment === segment && file.isIndex === isIndex)) continue;
    const damage = tryDamage(isIndex ? segment.index : segment.bytes, oneOf(random, DAMAGE_KINDS), random);
    if (damage === null) continue;
    writeFileSync(join(directory, `${segment.stem}.${isIndex ? "idx" : "jsonl"}`), damage.bytes);
    damaged.push({ segment, isIndex, damage });
  }
  return { before, damaged };
}

/** Finds the damage with the scrub's reader, repairs with recovery, and holds both to what was done. */
export function judgeRepair(
  directory: string,
  before: readonly ModelSegment[],
  damaged: readonly DamagedFile[],
): DamageOutcome {
  const problems: string[] = [];
  const verdicts = [...verifyLane(realFiles, directory)];
  for (const file of damaged) problems.push(...missedBy(verdicts, file, damaged));
  for (const verdict of verdicts) problems.push(...falseAlarms(verdict, damaged));
  const outcome = judgeKept(directory, before, damaged);
  return { ...outcome, problems: [...problems, ...outcome.problems] };
}

/** As judgeRepair, where a start may have repaired a part already: looks only at what is left in the end. */
export function judgeKept(
  directory: string,
  before: readonly ModelSegment[],
  damaged: readonly DamagedFile[],
): DamageOutcome {
  const problems: string[] = [];
  const distrusted = new Set(
    [...verifyLane(realFiles, directory)]
      .filter(({ damagedRecords, index }) => damagedRecords > 0 || index !== "good")
      .map(({ firstSequence }) => firstSequence),
  );
  recoverLane(realFiles, directory, () => {}, distrusted);
  const kept = before.flatMap((segment) => recordsKept(segment, damaged));
  const counts = compareLines(linesIn(directory), before, kept, damaged, problems);
  problems.push(...notPutAside(directory, damaged), ...notAtRest(directory));
  return {
    damages: damaged.length,
    kinds: damaged.map(({ segment, isIndex, damage }) =>
      [damage.kind, isIndex ? ".idx" : ".jsonl", segment.isSealed ? "sealed" : "open"].join(" "),
    ),
    damagedRecords: damaged.reduce((sum, file) => sum + recordsHit(file).length, 0),
    ...counts,
    problems: problems.map((problem) => `${problem} (${damaged.map(textOf).join("; ")})`),
  };
}

/** The records of the segment that the damage has touched; none where it is the index's. */
function recordsHit({ segment, isIndex, damage }: DamagedFile): ModelRecord[] {
  if (isIndex) return [];
  return segment.records.filter(({ from, to }) =>
    damage.ranges.some(([first, end]) => first < to && from < end),
  );
}

function textOf({ segment, isIndex, damage }: DamagedFile): string {
  return `${segment.stem}${isIndex ? ".idx" : ".jsonl"}: ${damage.text}`;
}

function hasGoodIndex(segment: ModelSegment, damaged: readonly DamagedFile[]): boolean {
  return !damaged.some((file) => file.segment === segment && file.isIndex);
}

/** Bytes of the damage that no finding holds. */
function missedBy(
  verdicts: readonly SegmentVerdict[],
  file: DamagedFile,
  damaged: readonly DamagedFile[],
): string[] {
  const { segment, isIndex, damage } = file;
  const verdict = verdicts.find(({ path }) => path.includes(segment.stem))!;
  if (isIndex) {
    // an open segment's index may end anywhere
    const isTold = verdict.index !== "good" || !verdict.isSealed || !segment.isSealed;
    return isTold ? [] : ["the damaged index is not told of"];
  }
  if (!hasGoodIndex(segment, damaged)) return [];
  if (damage.kind === "cut") {
    const isTold = !segment.isSealed || verdict.findings.some(({ isMissing }) => isMissing);
    return isTold ? [] : ["the missing end is not told of"];
  }
  return recordsHit(file)
    .filter(({ isCovered }) => isCovered)
    .filter(
      ({ from, to }) => !verdict.findings.some(({ offset, bytes }) => offset <= from && to <= offset + bytes),
    )
    .map(({ from, to }) => `damage in ${segment.stem} [${from}, ${to}) is not found`);
}

/** Findings that no damaged record has a part in. */
function falseAlarms(verdict: SegmentVerdict, damaged: readonly DamagedFile[]): string[] {
  const hit = damaged
    .filter(({ segment, isIndex }) => !isIndex && verdict.path.includes(segment.stem))
    .flatMap((file) => [
      ...file.damage.ranges,
      ...recordsHit(file).map(({ from, to }): readonly [number, number] => [from, to]),
    ]);
  return verdict.findings
    .filter(({ offset, bytes }) => !hit.some(([from, to]) => from < offset + bytes && offset < to))
    .map(
      ({ offset, bytes }) => `${verdict.path} [${offset}, ${offset + bytes}) is called damaged and is not`,
    );
}

function recordsKept(segment: ModelSegment, damaged: readonly DamagedFile[]): string[] {
  const own = damaged.find((file) => file.segment === segment && !file.isIndex);
  const hit = new Set(own === undefined ? [] : recordsHit(own));
  return segment.records
    .filter((record) => !hit.has(record))
    .flatMap((record) => linesOfRecord(segment, record));
}

function linesOfRecord({ bytes }: ModelSegment, { from, to }: ModelRecord): string[] {
  return linesOf(bytes.subarray(from, to));
}

function linesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => linesOf(readFileSync(join(directory, name))));
}

function compareLines(
  lines: readonly string[],
  before: readonly ModelSegment[],
  kept: readonly string[],
  damaged: readonly DamagedFile[],
  problems: string[],
): Pick<DamageOutcome, "linesLost" | "linesKept" | "unseen"> {
  const written = new Set(before.flatMap(({ bytes }) => linesOf(bytes)));
  const wanted = new Set(kept);
  const found = lines.filter((line) => wanted.has(line));
  const foundSet = new Set(found);
  const missing = kept.filter((line) => !foundSet.has(line)).length;
  if (missing > 0) problems.push(`${missing} good lines are gone`);
  else if (found.some((line, at) => line !== kept[at]))
    problems.push("good lines are there twice or out of order");
  const invented = lines.filter((line) => !written.has(line)).length;
  // what has no checksum, and was hit
  const unchecked = damaged
    .filter(({ segment }) => !hasGoodIndex(segment, damaged) || !segment.isSealed)
    .flatMap((file) =>
      recordsHit(file).filter((record) => !record.isCovered || !hasGoodIndex(file.segment, damaged)),
    );
  if (invented > 0 && unchecked.length === 0) problems.push(`${invented} lines were never written`);
  return {
    linesLost: written.size - new Set(lines.filter((line) => written.has(line))).size,
    linesKept: lines.length,
    unseen: invented,
  };
}

/** Bytes of damaged commits, as they are now, that are in no file of the quarantine. */
function notPutAside(directory: string, damaged: readonly DamagedFile[]): string[] {
  const folder = join(directory, "quarantine");
  const names = readdirSync(directory).includes("quarantine") ? readdirSync(folder) : [];
  const aside = names.map((name) => readFileSync(join(folder, name)));
  return damaged
    .filter(({ segment, damage }) => damage.kind !== "cut" && hasGoodIndex(segment, damaged))
    .flatMap((file) =>
      recordsHit(file)
        .filter(({ isCovered }) => isCovered)
        .filter(
          ({ from, to }) => !aside.some((bytes) => bytes.includes(file.damage.bytes.subarray(from, to))),
        )
        .map(({ from, to }) => `the damaged bytes [${from}, ${to}) are not in quarantine`),
    );
}

/** A repaired lane has nothing to say, to the scrub and to the next start. */
function notAtRest(directory: string): string[] {
  const bad = [...verifyLane(realFiles, directory)].filter(
    ({ damagedRecords, index, tornBytes, isSealed }) =>
      damagedRecords > 0 || index !== "good" || tornBytes > 0 || !isSealed,
  );
  const again = recoverLane(realFiles, directory, () => {});
  return [
    ...bad.map(({ path }) => `${path} is not good after its repair`),
    ...(again.bytesCut > 0 || again.damagedRecords > 0 ? ["a second recovery finds more"] : []),
  ];
}

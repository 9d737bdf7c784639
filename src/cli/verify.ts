// `tidemark verify`: reads a whole data folder against its checksums, says what is damaged, and takes it out where asked.
// Exit code 0: nothing is damaged; 1: something is (or was, with --repair); 2: the command line or the folder is wrong.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { TidemarkError } from "../errors.ts";
import { realFiles } from "../log/files.ts";
import { type RecoveryReport, recoverLane } from "../log/recovery.ts";
import { type SegmentVerdict, verifyLane } from "../log/verify.ts";
import { lockFolder } from "../server/folder-lock.ts";

const DATA_DEFAULT = "./data";

const EXAMPLES = `
Example:
  $ tidemark verify --data /var/lib/tidemark

It reads every segment: what an index covers by its checksums, the rest line by
line. It may run beside a server. With --repair, which needs the folder for
itself, damaged records go to quarantine/, what is good around them is kept, and
indexes that are damaged or missing are made anew.

Exit code 0: nothing is damaged; 1: something is, or was; 2: a flag is wrong.
`;

interface VerifyFlags {
  readonly data?: string;
  readonly repair?: true;
  readonly json?: true;
}

interface LaneVerdict {
  readonly lane: string;
  readonly segments: number;
  readonly bytes: number;
  readonly lines: number;
  /** Those with something to say. */
  readonly faulty: readonly SegmentVerdict[];
  repaired: RecoveryReport | null;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("Read a data folder against its checksums and say what is damaged.")
    .usage("[flags]")
    .allowExcessArguments(false)
    .option("--data <FOLDER>", `the folder to read (${DATA_DEFAULT})`)
    .option("--repair", "put damaged records into quarantine/; no server may hold the folder")
    .option("--json", "print JSON")
    .addHelpOption(new Option("-h, --help", "print this help"))
    .addHelpText("after", EXAMPLES)
    .action(runVerify);
}

async function runVerify(flags: VerifyFlags): Promise<void> {
  const folder = resolve(flags.data ?? DATA_DEFAULT);
  if (!existsSync(folder))
    throw new TidemarkError(`cannot verify ${folder} because it is not there; try another --data`, 2);
  const lock = flags.repair ? await lockFolder(folder, { pid: process.pid, address: "" }) : null;
  try {
    const lanes = readdirSync(folder)
      .filter((name) => /^lane-\d+$/.test(name))
      .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
      .map((lane) => verify(folder, lane));
    if (flags.repair) for (const verdict of lanes) verdict.repaired = repair(folder, verdict);
    process.stdout.write(
      flags.json ? `${JSON.stringify({ data: folder, lanes }, null, 2)}\n` : toText(folder, lanes),
    );
    process.exitCode = lanes.some(({ faulty }) => faulty.some(isDamaged)) ? 1 : 0;
  } finally {
    lock?.release();
  }
}

function verify(folder: string, lane: string): LaneVerdict {
  const sums = { lane, segments: 0, bytes: 0, lines: 0, repaired: null };
  const faulty: SegmentVerdict[] = [];
  for (const segment of verifyLane(realFiles, join(folder, lane))) {
    sums.segments++;
    sums.bytes += segment.bytes;
    sums.lines += segment.lines;
    if (isDamaged(segment) || segment.index !== "good" || segment.tornBytes > 0) faulty.push(segment);
  }
  return { ...sums, faulty };
}

/** Recovery of the lane, in which the faulty segments are not trusted by their seals. */
function repair(folder: string, { lane, faulty }: LaneVerdict): RecoveryReport {
  const distrusted = new Set(faulty.map(({ firstSequence }) => firstSequence));
  return recoverLane(realFiles, join(folder, lane), () => {}, distrusted);
}

function isDamaged(segment: SegmentVerdict): boolean {
  return segment.damagedRecords > 0;
}

function toText(folder: string, lanes: readonly LaneVerdict[]): string {
  const text = lanes.flatMap(({ faulty, repaired }) => [
    ...faulty.flatMap(segmentText),
    ...(repaired?.quarantined ?? []).map((path) => `put aside: ${path}`),
  ]);
  const sum = (count: (lane: LaneVerdict) => number) =>
    lanes.reduce((total, lane) => total + count(lane), 0).toLocaleString("en-US");
  const damaged = (count: (segment: SegmentVerdict) => number) =>
    sum(({ faulty }) => faulty.reduce((total, segment) => total + count(segment), 0));
  text.push(
    `${folder}: ${sum((lane) => lane.segments)} segments, ${sum((lane) => lane.bytes)} bytes, ${sum((lane) => lane.lines)} good lines; ` +
      `${damaged((segment) => segment.damagedRecords)} damaged records (${damaged((segment) => segment.damagedLines)} lines, ` +
      `${damaged((segment) => segment.damagedBytes)} bytes)`,
  );
  return `${text.join("\n")}\n`;
}

function segmentText({ path, findings, damagedRecords, tornBytes, index }: SegmentVerdict): string[] {
  const text = findings.map(
    ({ offset, bytes, records, lines, isMissing }) =>
      `${isMissing ? "missing" : "damaged"}: ${path} at ${offset}: ${bytes} bytes, ${records} records, ${lines} lines`,
  );
  const told = findings.reduce((total, { records }) => total + records, 0);
  if (damagedRecords > told) text.push(`damaged: ${path}: ${damagedRecords - told} records more`);
  if (tornBytes > 0) text.push(`torn: ${path}: ${tornBytes} bytes at its end are no whole line (yet)`);
  if (index !== "good") text.push(`index ${index}: ${path}: its lines were read one by one`);
  return text;
}

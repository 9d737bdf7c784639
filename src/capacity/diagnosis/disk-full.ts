// A full disk: nothing more can be stored, and everything is refused until there is room. A Tidemark tells; another server
// may answer 507. What the rate would be with room is not predicted: the level says only how fast it refuses. Pure.

import { bytesText, countText } from "../report/figures.ts";
import { type Reading, shareOf } from "./reading.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import { FAILURES_EXPLAINED_MIN } from "./thresholds.ts";

export const DISK_FULL: Rule = {
  id: "disk-full",
  title: "a full disk",
  restsOn: ({ stats }) => [
    {
      what: "the state of the server's disk (only a Tidemark tells)",
      value: stats === null || stats.diskStates.length === 0 ? null : true,
    },
    { what: "its free space", value: stats?.diskFreeBytesMin ?? null },
  ],
  judge: judgeDiskFull,
};

function judgeDiskFull(reading: Reading): Opinion {
  const { stats, load } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const refused = stats?.rejected.disk_full ?? 0;
  const answered507 = load.statuses["507"] ?? 0;
  const isFull = stats?.diskStates.includes("full") ?? false;
  if (refused > 0) pros.push(`${countText(refused)} batches were refused because the disk was full.`);
  if (isFull)
    pros.push(`The server said that its disk was full (states seen: ${stats!.diskStates.join(", ")}).`);
  if (answered507 > 0) pros.push(`${countText(answered507)} answers were 507 Insufficient Storage.`);
  if (stats !== null && stats.diskFreeBytesMin !== null)
    (pros.length > 0 ? pros : cons).push(
      `At least ${bytesText(stats.diskFreeBytesMin)} of the disk were free throughout.`,
    );
  if (pros.length === 0 && stats !== null && stats.diskStates.length > 0)
    cons.push(
      `Its disk was in the state ${stats.diskStates.join(", ")} throughout, and nothing was refused for it.`,
    );
  const told = Math.max(refused, answered507);
  const isConfirmed =
    told > 0 &&
    shareOf(reading, told) >= reading.harmShare / 2 &&
    told >= FAILURES_EXPLAINED_MIN * reading.failed;
  return {
    verdict: isConfirmed ? "confirmed" : pros.length > 0 ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.98 : 0.6,
    for: pros,
    against: cons,
    predicted: null,
    check: `Linux and macOS: df -h on the server's data folder — Avail at 0; df -i for inodes. Of a Tidemark: GET /stats, disk`,
    fix: reading.target.isTidemark
      ? "room on the disk, or --retention-size or --retention-age below what it holds, or --data on a larger one"
      : "room on the disk that the server writes to",
    remedy: { kind: "none", why: "room on a disk is not a setting of the server" },
  };
}

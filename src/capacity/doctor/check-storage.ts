// The data folder: can it be written, what is it on, how fast does it sync and write, and how long does its room last.
//
// With --ack synced an answer waits for a sync of its lane; one sync answers all that waits, so its time bounds the
// latency and the commits, not the metrics. With --ack written syncs run behind, every SYNC_INTERVAL_MS: a disk whose
// syncs take longer than that falls behind.

import { SEGMENT_BYTES_MAX, SYNC_INTERVAL_MS } from "../../limits.ts";
import type { DataFolder } from "./data-folder.ts";
import type { DiskTrial } from "./disk-trial.ts";
import { type FileSystem, findFileSystem } from "./file-system.ts";
import { type Finding, finding, type Mend, unknown, type Verdict } from "./finding.ts";
import type { Machine } from "./machine.ts";
import { formatAbout, formatBytes, formatCount, formatMs, formatSpan } from "./quantity.ts";

/** A line as the server stores it: a short name, a number, a tag, a client. A test decodes it to itself. */
export const EXAMPLE_LINE =
  '{"ts":1763890000000,"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"client":"agent-1"}\n';
export const LINE_BYTES = Buffer.byteLength(EXAMPLE_LINE);
/** The rate that the room is judged by: the goal of the server's first page. */
const METRICS_PER_SECOND = 10_000;
const ROOM_S_WARN = 86_400;
/** tmpfs answers in 0.02 ms (measured): what is near that was hardly on a disk. */
const SYNC_MS_VOLATILE = 0.03;
/** A lane commits fewer than 100 times a second. */
const SYNC_MS_SLOW = 10;
/** A segment and its index. */
const FILES_PER_SEGMENT = 2;
/** The open segment, the next one already open, the index and some. */
const ROOM_BYTES_LEAST = 2 * SEGMENT_BYTES_MAX;
const RETENTION_SHARE = 0.8;

/** Whether it can be written nothing but writing tells: rights, a full disk, a read-only mount, /proc. */
export function checkDataFolder(machine: Machine, folder: DataFolder, trial: DiskTrial): Finding {
  const id = "data folder";
  const system = findFileSystem(machine, folder.path);
  const place = folder.exists ? folder.path : `${folder.asked} is not there yet: looked at ${folder.path}`;
  const found = `${place}${system === null ? "" : ` (${system.type})`}`;
  const fault = folder.fault ?? (trial.sync === null ? trial.fault : null);
  if (fault !== null) {
    return finding(id, "bad", found, `cannot be written (${fault}): the server would not start`, {
      mend: mendFolder(folder.asked, fault),
    });
  }
  if (system === null) return finding(id, "unknown", found, "can be written; its file system is not known");
  const [verdict, means] = judgeKind(system);
  return finding(id, verdict, found, means, {
    mend: verdict === "ok" ? null : mendPlace(),
    figures: { file_system: system.type, kind: system.kind },
  });
}

function judgeKind(system: FileSystem): [Verdict, string] {
  if (system.kind === "memory")
    return ["warn", "in memory: lost with the machine, and --ack synced promises nothing here"];
  if (system.kind === "layer")
    return ["warn", "a container's own layer: lost with the container; mount a volume for it"];
  if (system.kind === "network")
    return ["warn", "over a network: a sync takes its round trips, and its promise is the other side's"];
  return ["ok", "can be written, and syncs reach a disk of this machine"];
}

function mendFolder(asked: string, fault: string): Mend {
  if (fault === "EROFS") return both("tidemark serve --data FOLDER   # not on a read-only file system");
  return fault === "EACCES" || fault === "EPERM"
    ? both(`sudo install -d -o "$(id -un)" -m 700 "${asked}"`)
    : both("tidemark serve --data FOLDER");
}

function mendPlace(): Mend {
  return both("tidemark serve --data FOLDER   # on a disk: see df -T, on macOS mount");
}

function both(command: string): Mend {
  return { linux: [{ when: "now", command }], macos: [{ when: "now", command }] };
}

export function checkSyncSpeed(machine: Machine, folder: DataFolder, trial: DiskTrial): Finding {
  const id = "sync speed";
  if (trial.sync === null) return unknown(id, `the folder could not be tried (${trial.fault})`);
  const { syncs, msP50, msP99, msMax } = trial.sync;
  const perSecond = 1e3 / msP50;
  const kind = findFileSystem(machine, folder.path)?.kind;
  const isBehind = msP99 >= SYNC_INTERVAL_MS;
  const isSlow = msP50 >= SYNC_MS_SLOW;
  const means = [
    `--ack synced: ${formatAbout(perSecond)} commits a second and thread, each answers all that waits`,
  ];
  if (isBehind)
    means.push(`slower than the ${SYNC_INTERVAL_MS} ms between background syncs, so these fall behind`);
  if (msP50 < SYNC_MS_VOLATILE && kind !== "memory")
    means.push("too fast for a disk: a cache that a power cut empties may be answering");
  return finding(
    id,
    isBehind || isSlow ? "warn" : "ok",
    `fdatasync p50 ${formatMs(msP50)}, p99 ${formatMs(msP99)}, max ${formatMs(msMax)}, of ${syncs}`,
    means.join("; "),
    {
      mend:
        isBehind || isSlow
          ? both(
              "tidemark serve --data FOLDER --ack written   # FOLDER on a faster disk, or answers without waiting",
            )
          : null,
      bounds: [{ kind: "syncs-per-second", amount: perSecond }],
      figures: { syncs, p50_ms: msP50, p99_ms: msP99, max_ms: msMax },
    },
  );
}

export function checkWriteSpeed(trial: DiskTrial): Finding {
  const id = "write speed";
  if (trial.write === null || trial.write.bytes === 0)
    return unknown(
      id,
      trial.fault === null ? "too little room to try it" : `the folder could not be tried (${trial.fault})`,
    );
  const bytesPerSecond = (trial.write.bytes / trial.write.ms) * 1e3;
  const metrics = bytesPerSecond / LINE_BYTES;
  const isSlow = metrics < METRICS_PER_SECOND;
  return finding(
    id,
    isSlow ? "warn" : "ok",
    `about ${formatBytes(bytesPerSecond)}/s (${formatBytes(trial.write.bytes)} tried)`,
    `${formatAbout(metrics)} metrics a second of ${LINE_BYTES} bytes, were it for the disk alone`,
    {
      mend: isSlow ? both("tidemark serve --data FOLDER   # on a faster disk") : null,
      bounds: [{ kind: "metrics-per-second", amount: metrics }],
      figures: { written_bytes: trial.write.bytes, bytes_per_second: Math.round(bytesPerSecond) },
    },
  );
}

export function checkSpace(folder: DataFolder): Finding {
  const id = "free space";
  const { space } = folder;
  if (space === null) return unknown(id, "the file system does not tell its room");
  const segments = space.totalInodes === 0 ? Number.POSITIVE_INFINITY : space.freeInodes / FILES_PER_SEGMENT;
  const bytes = Math.min(space.freeBytes, segments * SEGMENT_BYTES_MAX);
  const seconds = bytes / (METRICS_PER_SECOND * LINE_BYTES);
  const isFull = bytes < ROOM_BYTES_LEAST;
  const isShort = seconds < ROOM_S_WARN;
  const inodes = space.totalInodes === 0 ? "" : `, ${formatCount(space.freeInodes)} inodes`;
  const keeps = retentionSize(bytes);
  return finding(
    id,
    isFull ? "bad" : isShort ? "warn" : "ok",
    `${formatBytes(space.freeBytes)} of ${formatBytes(space.totalBytes)}${inodes}`,
    isFull
      ? "hardly room for one segment: batches are answered 503 disk_full soon or at once"
      : `lasts ${formatSpan(seconds)} at ${formatCount(METRICS_PER_SECOND)} metrics a second (${LINE_BYTES} bytes each); ` +
          `nothing is deleted without --retention-size${bytes < space.freeBytes ? "; inodes end before bytes do" : ""}`,
    {
      mend: isFull
        ? both("tidemark serve --data FOLDER   # on a disk with room")
        : isShort
          ? both(`tidemark serve --retention-size ${keeps}`)
          : null,
      figures: {
        free_bytes: space.freeBytes,
        total_bytes: space.totalBytes,
        free_inodes: space.totalInodes === 0 ? null : space.freeInodes,
        line_bytes: LINE_BYTES,
        lasts_s: Math.round(seconds),
      },
    },
  );
}

/** Most of the room, as --retention-size takes it. */
function retentionSize(bytes: number): string {
  const mib = Math.floor((bytes * RETENTION_SHARE) / 1024 ** 2);
  return mib >= 10 * 1024 ? `${Math.floor(mib / 1024)}GiB` : `${Math.max(1, mib)}MiB`;
}

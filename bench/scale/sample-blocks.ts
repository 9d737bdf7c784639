// Blocks of lines as servers make them: a fleet's metrics as lines of the log, cut where a follower cuts.
// Deterministic but for where time starts, so that what they compress to can be had again.
import type { Block, BlockMessage } from "../../src/replica/block-message.ts";
import { seededRandom } from "./seeded-random.ts";

/** More than any block holds, so that none comes twice in one. */
const HOSTS = 3_000;
const CLIENTS = 7;
const NAMES = [
  "cpu_usage", "memory_used", "disk_read_bytes", "disk_write_bytes", "network_received_bytes",
  "network_sent_bytes", "load_average", "open_files", "threads", "context_switches",
  "page_faults", "swap_used", "requests_total", "request_latency", "queue_depth",
  "cache_hits", "cache_misses", "gc_pause", "heap_used", "uptime",
] as const; // biome-ignore format: a table
const REGIONS = ["eu-west", "eu-north", "us-east", "us-west", "ap-south"];

/**
 * Whole lines, each with its line feed: every host tells all names at a time of its own, a third each of counters, of shares
 * with two decimals and of full doubles. Those doubles are what does not compress.
 */
export function sampleLines(startMs: number): Uint8Array[] {
  const random = seededRandom(7);
  return Array.from({ length: HOSTS }, (_, host) => {
    const timestamp = startMs + random.below(10_000);
    return NAMES.map((name, index) => {
      const value = [random.below(1e9), random.below(10_000) / 100, random.next() * 100][index % 3];
      const tags = `{"host":"web${host}","region":"${REGIONS[host % REGIONS.length]}"}`;
      return Buffer.from(
        `{"ts":${timestamp},"name":"${name}","value":${value},"type":"gauge","tags":${tags},"client":"collector-${host % CLIENTS}"}\n`,
      );
    });
  }).flat();
}

/** As many blocks of up to `bytesMax` as the lines make; numbers begin at 0. */
export function cutBlocks(lines: readonly Uint8Array[], bytesMax: number): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  while (from < lines.length) {
    let [end, bytes] = [from, 0];
    while (end < lines.length && bytes + lines[end]!.length <= bytesMax) bytes += lines[end++]!.length;
    if (end === lines.length) break; // a short last one would blur the sizes
    const whole = new Uint8Array(Buffer.concat(lines.slice(from, end)));
    blocks.push({ origin: "00000000000000aa", lane: 0, from, first: from, end, bytes: whole });
    from = end;
  }
  return blocks;
}

/** The block as another one of the lane: a stream takes each id once. Only the id differs. */
export function messageNumber(message: BlockMessage, number: number): BlockMessage {
  return { ...message, id: `${message.id}.${number}` };
}

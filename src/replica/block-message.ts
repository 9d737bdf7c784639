// A block of a lane as a message of the stream. The subject says where it comes from, one header what it is, the payload is
// its lines as one Zstandard frame (RFC 8878).
//
//     subject         <stream>.<partition>.<node>.<lane>
//     Nats-Msg-Id     <origin>.<lane>.<from>.<end>[.<round>]                  deduplicated by the stream
//     Tidemark-Block  1 <origin> <lane> <from> <first> <end> <bytes> <crc>    version; numbers in decimal, crc in hex
//     payload         zstd(lines [first, end) with their line feeds), `bytes` long when decompressed; empty for no lines
//
// `origin` is 16 hex digits that a data folder has to itself, so that a machine that lost its folder counts as another. A block
// covers the numbers [from, end); see follow/lane-reader.ts. The CRC is zlib's, over the lines. Pure.

import { crc32, constants as zlib, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LINE_BYTES_MAX } from "../limits.ts";

export const BLOCK_HEADER = "Tidemark-Block";
export const MESSAGE_ID_HEADER = "Nats-Msg-Id";
const VERSION = "1";

/** The first level: 146 MB/s here on Bun, 126 on Node; the third shrinks no more and has half of that. */
const COMPRESSION = { params: { [zlib.ZSTD_c_compressionLevel]: 1 } };
/** Least that zlib takes. Decompressed in one piece, a block takes half of the time that pieces of 16 KiB take. */
const CHUNK_BYTES_MIN = 64;
const LF = 0x0a;

export interface Block {
  origin: string;
  /** Of the node: its folder's number. */
  lane: number;
  from: number;
  first: number;
  end: number;
  /** The lines, with their line feeds. */
  bytes: Uint8Array;
}

export interface BlockMessage {
  id: string;
  /** The value of BLOCK_HEADER. */
  header: string;
  payload: Uint8Array;
}

/** `round` is above 0 for lines that the stream has had and lost: it must not take them for a repetition. */
export function encodeBlock({ origin, lane, from, first, end, bytes }: Block, round = 0): BlockMessage {
  const crc = crc32(bytes).toString(16).padStart(8, "0");
  return {
    id: `${origin}.${lane}.${from}.${end}${round > 0 ? `.${round}` : ""}`,
    header: [VERSION, origin, lane, from, first, end, bytes.length, crc].join(" "),
    payload: bytes.length === 0 ? bytes : zstdCompressSync(bytes, COMPRESSION),
  };
}

/** The block, or why there is none: the end of a sentence "… because it". */
export function decodeBlock(header: string, payload: Uint8Array): Block | string {
  const parts = /^(\d+) ([0-9a-f]{16}) (\d+) (\d+) (\d+) (\d+) (\d+) ([0-9a-f]{8})$/.exec(header);
  if (parts === null) return `has no ${BLOCK_HEADER} header that can be read`;
  if (parts[1] !== VERSION) return `is of version ${parts[1]} and this program reads version ${VERSION}`;
  const [lane, from, first, end, length] = parts.slice(3, 8).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const isInOrder = from <= first && first <= end && from < end && Number.isSafeInteger(end);
  if (!isInOrder || length > 2 * LINE_BYTES_MAX) return "covers no numbers of a lane";
  const bytes = decompress(payload, length);
  if (bytes === null || bytes.length !== length) return "does not decompress to what it says";
  if (crc32(bytes).toString(16).padStart(8, "0") !== parts[8]) return "is damaged: its checksum differs";
  if (linesIn(bytes) !== end - first) return "has another number of lines than it says";
  return { origin: parts[2]!, lane, from, first, end, bytes };
}

function decompress(payload: Uint8Array, length: number): Uint8Array | null {
  if (length === 0) return payload.length === 0 ? payload : null;
  try {
    return zstdDecompressSync(payload, {
      maxOutputLength: length,
      chunkSize: Math.max(length, CHUNK_BYTES_MIN),
    });
  } catch {
    return null;
  }
}

/** -1 where the last line is not whole. */
function linesIn(bytes: Uint8Array): number {
  if (bytes.length > 0 && bytes[bytes.length - 1] !== LF) return -1;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let lines = 0;
  for (let at = buffer.indexOf(LF); at >= 0; at = buffer.indexOf(LF, at + 1)) lines++;
  return lines;
}

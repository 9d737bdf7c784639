// Bodies that cost their reader more than they cost their sender: much out of little, nothing out of much, promises that
// nobody could keep. Pure: bytes out.

import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

export interface Bomb {
  readonly name: string;
  readonly coding: "gzip" | "deflate" | "zstd";
  readonly bytes: Buffer;
}

const MIB = 1024 * 1024;
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** The check and the length of nothing. */
const GZIP_END_EMPTY = Buffer.alloc(8);
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const ZSTD_HELLO = [1 | (5 << 3), 0, 0, 0x68, 0x65, 0x6c, 0x6c, 0x6f];

/** `bytesMax` is how long the long ones are: as long as the server takes bodies. */
export function makeBombs(bytesMax: number): Bomb[] {
  const zeros = Buffer.alloc(16 * MIB);
  const empty = gzipSync("");
  const blocks = emptyDynamicBlocks(bytesMax - 32);
  return [
    { name: "16 MiB of zeros", coding: "gzip", bytes: gzipSync(zeros) },
    { name: "16 MiB of zeros", coding: "deflate", bytes: deflateSync(zeros) },
    { name: "16 MiB of zeros", coding: "zstd", bytes: zstdCompressSync(zeros) },
    { name: "gzip in gzip", coding: "gzip", bytes: gzipSync(gzipSync(zeros)) },
    {
      name: "many members, each of nothing",
      coding: "gzip",
      bytes: Buffer.concat(Array.from({ length: Math.floor(bytesMax / empty.length) }, () => empty)),
    },
    {
      name: "Huffman tables for nothing",
      coding: "gzip",
      bytes: Buffer.concat([GZIP_HEAD, blocks, GZIP_END_EMPTY]),
    },
    { name: "raw Huffman tables for nothing", coding: "deflate", bytes: blocks },
    {
      name: "a file name without an end",
      coding: "gzip",
      bytes: Buffer.concat([
        Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]),
        Buffer.alloc(bytesMax - 10, "n"),
      ]),
    },
    {
      name: "a frame that claims 2^60 bytes",
      coding: "zstd",
      bytes: Buffer.from([...ZSTD_MAGIC, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, ...ZSTD_HELLO]),
    },
    {
      name: "a window of 1.9 TiB",
      coding: "zstd",
      bytes: Buffer.from([...ZSTD_MAGIC, 0x00, 0xff, ...ZSTD_HELLO]),
    },
    { name: "blocks of nothing", coding: "zstd", bytes: emptyZstdBlocks(bytesMax) },
  ];
}

/** Raw deflate (RFC 1951 3.2.7): blocks that each define 286 + 30 codes, and then end. */
function emptyDynamicBlocks(bytesMax: number): Buffer {
  const bits = new Bits(bytesMax);
  const lengths: Readonly<Record<number, number>> = { 16: 1, 4: 3, 5: 3, 8: 3, 9: 3 };
  // Code lengths 16, 4, 5, 8 and 9 as canonical Huffman codes.
  const codes: Readonly<Record<number, readonly [code: number, length: number]>> = {
    16: [0, 1],
    4: [4, 3],
    5: [5, 3],
    8: [6, 3],
    9: [7, 3],
  };
  const run = (length: number, count: number): void => {
    bits.code(...codes[length]!);
    let left = count - 1;
    for (; left >= 3; left -= Math.min(6, left)) {
      bits.code(...codes[16]!);
      bits.number(Math.min(6, left) - 3, 2);
    }
    for (; left > 0; left--) bits.code(...codes[length]!);
  };
  const block = (isLast: number): void => {
    bits.number(isLast, 1);
    bits.number(2, 2);
    bits.number(29, 5);
    bits.number(29, 5);
    bits.number(8, 4);
    for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4]) bits.number(lengths[symbol] ?? 0, 3);
    run(8, 226);
    run(9, 60);
    run(4, 2);
    run(5, 28);
    bits.code(482, 9); // 256, the end of the block
  };
  while (bits.bytes.length * 8 - bits.at > 2 * BLOCK_BITS_MAX) block(0);
  block(1);
  return bits.bytes.subarray(0, (bits.at + 7) >> 3);
}

const BLOCK_BITS_MAX = 512;

class Bits {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: number) {
    this.bytes = Buffer.alloc(bytes);
  }

  number(value: number, bits: number): void {
    for (let bit = 0; bit < bits; bit++) this.put((value >> bit) & 1);
  }

  code(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) this.put((value >> bit) & 1);
  }

  private put(bit: number): void {
    this.bytes[this.at >> 3]! |= bit << (this.at & 7);
    this.at++;
  }
}

function emptyZstdBlocks(bytesMax: number): Buffer {
  const head = Buffer.from([...ZSTD_MAGIC, 0x00, 0x58]);
  const blocks = Math.floor((bytesMax - head.length) / 3) - 1;
  return Buffer.concat([head, Buffer.alloc(blocks * 3), Buffer.from([1, 0, 0])]);
}

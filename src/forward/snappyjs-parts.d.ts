// Types for the part of snappyjs that writes into memory of the caller's; see snappy.ts.

declare module "snappyjs/snappy_compressor.js" {
  export class SnappyCompressor {
    constructor(uncompressed: Uint8Array);
    maxCompressedLength(): number;
    /** Returns how many bytes it has written. */
    compressToBuffer(to: Uint8Array): number;
  }
}

declare module "snappyjs" {
  export function uncompress(compressed: Uint8Array, lengthMax?: number): Uint8Array;
}

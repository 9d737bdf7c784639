// Undoes a body's Content-Encoding, whole and at once, with bounds on what goes in and what comes out: a bomb costs
// bodyBytesMax of memory, for one body at a time, and less than 50 ms. Runs on the ingest thread: a batch is small, and a thread pool's round trip costs more than it.
// One stream must be the whole body: what follows it, and a stream that is cut, is corrupt, on both runtimes alike.

import {
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompressSync,
} from "node:zlib";
import { assert } from "../base/assert.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import { CODED_BODY_BYTES_FLOOR, CODED_BODY_DIVISOR, ZSTD_WINDOW_LOG_MAX } from "../limits.ts";
import { CODING_DEFLATE, CODING_GZIP, CODING_ZSTD } from "./field-values.ts";
import { isOneZstdFrame } from "./zstd-frame.ts";

/** What the sync functions return when asked for `info`; their types do not say so. */
interface Decoded {
  buffer: Uint8Array;
  /** Input bytes that the stream took. */
  engine: { bytesWritten: number };
}
type Decoder = (bytes: Uint8Array, options: ZlibOptions & ZstdOptions) => Uint8Array;

const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };

/**
 * The body that bytes, in this coding, stand for: a new buffer, the caller's. REFUSAL.length where it would pass
 * bytesMax or is too long to be undone at once, REFUSAL.content_corrupt where the stream is broken, cut, or followed by anything.
 */
export function decompress(coding: number, bytes: Uint8Array, bytesMax: number): Uint8Array | Refusal {
  if (bytes.length > Math.max(bytesMax / CODED_BODY_DIVISOR, CODED_BODY_BYTES_FLOOR)) return REFUSAL.length;
  switch (coding) {
    case CODING_GZIP:
      return run(gunzipSync, bytes, { maxOutputLength: bytesMax, info: true });
    case CODING_DEFLATE:
      return decompressDeflate(bytes, bytesMax);
    case CODING_ZSTD:
      if (!isOneZstdFrame(bytes)) return REFUSAL.content_corrupt;
      return run(zstdDecompressSync, bytes, { maxOutputLength: bytesMax, info: true, params: ZSTD_PARAMS });
    default:
      assert(false, "decompress is called for gzip, deflate and zstd only");
  }
}

/** "deflate" means the zlib format (RFC 9110 8.4.1.2), but clients send raw deflate under that name too. */
function decompressDeflate(bytes: Uint8Array, bytesMax: number): Uint8Array | Refusal {
  const options = { maxOutputLength: bytesMax, info: true };
  const outcome = run(inflateSync, bytes, options);
  return outcome === REFUSAL.content_corrupt ? run(inflateRawSync, bytes, options) : outcome;
}

function run(decoder: Decoder, bytes: Uint8Array, options: ZlibOptions & ZstdOptions): Uint8Array | Refusal {
  try {
    const { buffer, engine } = decoder(bytes, options) as unknown as Decoded;
    return engine.bytesWritten === bytes.length ? buffer : REFUSAL.content_corrupt;
  } catch (error) {
    return isTooLarge(error) ? REFUSAL.length : REFUSAL.content_corrupt;
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

// Where a Zstandard frame ends (RFC 8878 3.1.1), told from its headers alone. Needed because the runtimes' decoders do
// not say: of a cut frame one of them returns what it has as if that were all, and of two frames one decodes both and
// the other the first. Pure; reads nothing past the bytes it is given.

const MAGIC = 0xfd2fb528;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
/** Frame_Content_Size by its flag; 0 means one byte where the frame is a single segment. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** Whether `bytes` is one whole Zstandard frame and nothing else. Its blocks' insides are the decoder's to judge. */
export function isOneZstdFrame(bytes: Uint8Array): boolean {
  if (bytes.length < 5) return false;
  const magic = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
  if (magic !== MAGIC) return false;
  const descriptor = bytes[4];
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[contentSizeFlag];
  const windowBytes = isSingleSegment ? 0 : 1;

  let at = 5 + windowBytes + DICTIONARY_ID_BYTES[descriptor & 0x03] + contentSizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER_BYTES > bytes.length) return false;
    const header = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) return false;
    isLast = (header & 1) === 1;
    at += BLOCK_HEADER_BYTES + (type === BLOCK_RLE ? 1 : header >> 3);
  }
  return at + (hasChecksum ? CHECKSUM_BYTES : 0) === bytes.length;
}

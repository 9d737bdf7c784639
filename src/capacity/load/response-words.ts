// The bytes and words that the response reader looks for; words in lower case, for LOWER is applied to what is compared.

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COMMA = 44;
export const COLON = 58;
export const SEMICOLON = 59;
export const ZERO = 48;
export const NINE = 57;
/** Turns A–Z into a–z; what else it changes matters nowhere. */
export const LOWER = 0x20;

export const VERSION = bytesOf("HTTP/1.");
/** How nearly all answers begin. */
export const USUAL_START = bytesOf("HTTP/1.1 200 ");
export const USUAL_START_LENGTH = USUAL_START.length;
export const CONTENT_LENGTH = bytesOf("content-length");
export const CONNECTION = bytesOf("connection");
export const TRANSFER_ENCODING = bytesOf("transfer-encoding");
export const NO_NAME = bytesOf("");
/** Up to here content-length and connection are the same. */
export const COMMON_LENGTH = 3;

export const CLOSE = bytesOf("close");
export const KEEP_ALIVE = bytesOf("keep-alive");
export const CHUNKED = bytesOf("chunked");

export function hexOf(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const letter = byte | LOWER;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

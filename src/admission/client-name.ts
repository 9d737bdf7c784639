// Who a client is where no tokens are configured: the name it gives itself, else a name made from what it shows, else
// its address. The name is written beside every metric and keys its rate limit, so no secret may be read from it.
// isClientName is on the path of every request that carries X-Client-Id; the two others make strings, once a
// connection and credential if the caller keeps the last, and nothing is lost if it does not.

import { hash } from "node:crypto";
import { CLIENT_NAME_BYTES_MAX } from "../limits.ts";

/** 1 for the bytes that a client's name may have: A-Z a-z 0-9 . _ - */
const IS_NAME_BYTE = new Uint8Array(256);
for (const byte of new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
)) {
  IS_NAME_BYTE[byte] = 1;
}

/** 64 bits of SHA-256, in hexadecimal: enough to tell clients apart, not enough to be the credential's full digest. */
const DIGEST_CHARACTERS = 16;
/** An IPv4 peer on a socket that listens on IPv6 too (RFC 4291, 2.5.5.2), as runtimes print it. */
const MAPPED_PREFIX = "::ffff:";

/** Is bytes[start..end) 1 to 64 of A-Za-z0-9._-? */
export function isClientName(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 1 || length > CLIENT_NAME_BYTES_MAX) return false;
  for (let offset = start; offset < end; offset++) {
    if (IS_NAME_BYTE[bytes[offset]!] === 0) return false;
  }
  return true;
}

/** A name for whoever shows bytes[start..end) as Authorization: the same for the same bytes, on any machine. */
export function nameFromAuthorization(bytes: Uint8Array, start: number, end: number): string {
  return `auth-${hash("sha256", bytes.subarray(start, end), "hex").slice(0, DIGEST_CHARACTERS)}`;
}

/** A peer's address as its name; one and the same for IPv4 however the server listens. */
export function nameFromAddress(address: string): string {
  const isMapped = address.toLowerCase().startsWith(MAPPED_PREFIX) && address.includes(".");
  return isMapped ? address.slice(MAPPED_PREFIX.length) : address;
}

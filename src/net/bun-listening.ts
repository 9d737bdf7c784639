// What Bun has no words for, done to its listening socket through bun:ffi. Where there is no such libc (musl, say) or no
// such option, false is returned and nothing has changed.

import { dlopen, ptr, suffix } from "bun:ffi";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** struct sock_filter: code, jump if true, jump if false, constant. The packet begins with its TCP header. */
const DROP_NEW_CONNECTIONS = [
  { code: 0x30, jumpTrue: 0, jumpFalse: 0, constant: 13 }, // load the byte of flags
  { code: 0x45, jumpTrue: 0, jumpFalse: 1, constant: 0x02 }, // SYN?
  { code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0 }, // drop
  { code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0xffffffff }, // keep all of it
];
const FILTER_BYTES = 8;
/** struct sock_fprog: how many, and where. */
const PROGRAM_BYTES = 16;

/** listen(2) again on a socket that listens: changes the length of its accept queue. */
export function trySetBacklog(listener: object, backlog: number): boolean {
  return libc()?.listen(descriptorOf(listener), backlog) === 0;
}

/**
 * From here on the kernel drops every SYN to this socket: no handshake begins, those that have begun end as they would,
 * and what is in the accept queue stays. A client that comes now asks again a second later, and is refused then.
 */
export function tryRefuseHandshakes(listener: object): boolean {
  if (process.platform !== "linux") return false;
  const filters = new DataView(new ArrayBuffer(DROP_NEW_CONNECTIONS.length * FILTER_BYTES));
  for (const [index, { code, jumpTrue, jumpFalse, constant }] of DROP_NEW_CONNECTIONS.entries()) {
    filters.setUint16(index * FILTER_BYTES, code, true);
    filters.setUint8(index * FILTER_BYTES + 2, jumpTrue);
    filters.setUint8(index * FILTER_BYTES + 3, jumpFalse);
    filters.setUint32(index * FILTER_BYTES + 4, constant, true);
  }
  const program = new DataView(new ArrayBuffer(PROGRAM_BYTES));
  program.setUint16(0, DROP_NEW_CONNECTIONS.length, true);
  program.setBigUint64(8, BigInt(ptr(filters)), true);
  return (
    libc()?.setsockopt(descriptorOf(listener), SOL_SOCKET, SO_ATTACH_FILTER, ptr(program), PROGRAM_BYTES) ===
    0
  );
}

/** Bun's types do not know it; -1, which is no descriptor, where Bun does not either. */
function descriptorOf(listener: object): number {
  return (listener as { fd?: number }).fd ?? -1;
}

function libc() {
  try {
    return dlopen(process.platform === "linux" ? "libc.so.6" : `libc.${suffix}`, {
      listen: { args: ["i32", "i32"], returns: "i32" },
      setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    }).symbols;
  } catch {
    return null;
  }
}

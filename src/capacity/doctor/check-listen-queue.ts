// The listen queue: what the kernel lets wait for accept. A server asks for a length and is given no more than
// somaxconn, silently: asked for 1,024 and capped at 128 is a fault that hides for years. Past the end the kernel drops
// the handshake and the client tries again a second later, so that a burst is seen as one-second latencies.
//
// tcp_max_syn_backlog bounds only half-open connections, and those only while SYN cookies are off; with them a full
// table is answered statelessly. Socket buffers (tcp_rmem, tcp_wmem) are left out: a request is a few kilobytes, far
// below any default.

import { BACKLOG_CEILING, BACKLOG_DEFAULT } from "../../limits.ts";
import {
  type Finding,
  finding,
  keepSettings,
  type Mend,
  type Remedy,
  roomFor,
  unknown,
  type Wish,
} from "./finding.ts";
import { type Machine, readNumber, readSysctl } from "./machine.ts";
import { formatCount } from "./quantity.ts";

const ID = "listen queue";
/** Its queue length is a signed short there. */
const MACOS_SOMAXCONN_MAX = 32_767;

/** `threads` is how many the server would start: each has a queue, but on macOS one is given all connections. */
export function checkListenQueue(machine: Machine, wish: Wish, threads: number): Finding {
  const isMacos = machine.platform === "macos";
  const name = isMacos ? "kern.ipc.somaxconn" : "net.core.somaxconn";
  const somaxconn = isMacos ? readSysctl(machine, name) : readNumber(machine, "/proc/sys/net/core/somaxconn");
  if (!Number.isFinite(somaxconn)) return unknown(ID, `${name} cannot be read`);
  const length = Math.min(somaxconn, BACKLOG_DEFAULT);
  const synQueue = readNumber(machine, "/proc/sys/net/ipv4/tcp_max_syn_backlog");
  const synCookies = readNumber(machine, "/proc/sys/net/ipv4/tcp_syncookies");
  const doesReset = readNumber(machine, "/proc/sys/net/ipv4/tcp_abort_on_overflow") === 1;
  const isCut = somaxconn < BACKLOG_DEFAULT;
  const isHalfOpenShort = synCookies === 0 && synQueue < BACKLOG_DEFAULT;
  const atOnce = isHalfOpenShort ? Math.min(length, synQueue) : length;
  const means = [
    `${formatCount(atOnce)} connects may wait for each thread; one too many tries again after 1 s`,
  ];
  if (isCut) means.push(`the server asks for ${formatCount(BACKLOG_DEFAULT)} and is cut`);
  if (isHalfOpenShort) means.push("SYN cookies are off, so half-open connections count too");
  if (doesReset) means.push("tcp_abort_on_overflow resets clients instead of letting them try again");
  const queues = isMacos ? 1 : threads;
  const isOutnumbered = (wish.clients ?? 0) > atOnce * queues;
  if (isOutnumbered)
    means.push(
      `${formatCount(wish.clients!)} clients at once would overflow ${queues === 1 ? "it" : `${queues} of them`}`,
    );
  const want = Math.max(BACKLOG_DEFAULT, Math.min(BACKLOG_CEILING, roomFor((wish.clients ?? 0) / queues)));
  const isFine = !isCut && !isHalfOpenShort && !doesReset && !isOutnumbered;
  return finding(
    ID,
    isFine ? "ok" : "warn",
    `${name} ${formatCount(somaxconn)}` +
      (Number.isFinite(synQueue) ? `, tcp_max_syn_backlog ${formatCount(synQueue)}` : "") +
      (Number.isFinite(synCookies) ? `, SYN cookies ${synCookies === 0 ? "off" : "on"}` : ""),
    means.join("; "),
    {
      mend: isFine ? null : mendListenQueue(somaxconn < want ? want : null, want, isHalfOpenShort, doesReset),
      bounds: [{ kind: "connects-at-once", amount: atOnce }],
      figures: { somaxconn, backlog: BACKLOG_DEFAULT, syn_backlog: synQueue, syn_cookies: synCookies },
    },
  );
}

/** `cap` is what somaxconn has to be, or null where it is enough; `backlog` what the server has to ask for. */
function mendListenQueue(
  cap: number | null,
  backlog: number,
  isHalfOpenShort: boolean,
  doesReset: boolean,
): Mend {
  const settings: string[] = [];
  if (cap !== null) settings.push(`net.core.somaxconn=${cap}`);
  if (isHalfOpenShort) settings.push("net.ipv4.tcp_syncookies=1");
  if (doesReset) settings.push("net.ipv4.tcp_abort_on_overflow=0");
  const serve: Remedy[] =
    backlog > BACKLOG_DEFAULT ? [{ when: "now", command: `tidemark serve --backlog ${backlog}` }] : [];
  const linux: Remedy[] = [];
  if (settings.length > 0) {
    linux.push({ when: "now", command: `sudo sysctl ${settings.join(" ")}` });
    linux.push({ when: "for good", command: keepSettings(settings) });
  }
  if (cap !== null)
    linux.push({ when: "in a container", command: `docker run --sysctl net.core.somaxconn=${cap} …` });
  const macos: Remedy[] = [
    {
      when: "now",
      command: `sudo sysctl kern.ipc.somaxconn=${Math.min(cap ?? backlog, MACOS_SOMAXCONN_MAX)}`,
    },
  ];
  return { linux: [...linux, ...serve], macos: [...macos, ...serve] };
}

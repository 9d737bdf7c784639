// Opens a thread's connections before an open loop starts, so that their making is no part of what it measures. A limited
// number at a time: a burst would overrun the target's accept queue, and prove nothing but that.

import type { ClientHost, ClientLoop, LoadClient } from "./load-client.ts";

/** Connections on their way at one time. */
const AT_ONCE_MAX = 64;
/** Longest wait for all of them, milliseconds: a target that takes none is met in the run itself. */
const OPENING_MS_MAX = 10_000;

/** Resolves when each client has its connection or could not have it; the clients then belong to `loop`. */
export function openConnections(
  host: ClientHost,
  clients: readonly LoadClient[],
  loop: ClientLoop,
): Promise<void> {
  return new Promise((resolve) => {
    let asked = 0;
    let ended = 0;
    const askMore = (nowMs: number): void => {
      while (asked < clients.length && asked - ended < AT_ONCE_MAX) clients[asked++]!.dial(nowMs);
    };
    const finish = (): void => {
      clearTimeout(deadline);
      host.loop = loop;
      resolve();
    };
    const deadline = setTimeout(finish, Math.min(OPENING_MS_MAX, host.timeoutMs));
    host.loop = {
      freed() {},
      dialled(_client, failure, nowMs) {
        ended++;
        if (ended === clients.length || failure !== null) finish();
        else askMore(nowMs);
      },
    };
    askMore(host.nowMs());
  });
}

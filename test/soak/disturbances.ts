// What is done to the server in a soak: faults that it must outlive in the same process, so that its memory and its
// descriptors can be followed from the first minute to the last.

import type { Ledger } from "../crash/ledger.ts";
import { startPusher } from "../crash/pusher.ts";
import { oneOf, type Random } from "../crash/random.ts";
import { RawConnection } from "../support/raw-client.ts";
import { metric, post, request } from "../support/requests.ts";
import { IS_BUN, pause, type ServerProcess } from "../support/server-process.ts";
import { breakThread, type ThreadFault } from "../support/thread-faults.ts";

export interface SoakBed {
  server: ServerProcess;
  threads: number;
  ledger: Ledger;
  client: string;
  random: Random;
}

export interface Disturbance {
  name: string;
  /** Resolves when it is over, as far as the clients are concerned. */
  run(bed: SoakBed): Promise<void>;
}

const BURST_CONNECTIONS = 50;
const BURST_MS = 2_000;
const SLOW_CONNECTIONS = 100;
const BAD_CONNECTIONS = 100;
const STOPPED_MS = 1_500;

/** Requests that must be refused, each on a connection of its own. */
const BAD_REQUESTS: readonly Buffer[] = [
  post("not JSON"),
  post(`{"metrics":[{"name":"","value":1}]}`),
  post(metric("late"), { "Content-Type": "text/html" }),
  request("POST", "/metrics", { "Transfer-Encoding": "chunked", "Content-Length": "5" }, "0\r\n\r\n"),
  Buffer.from("GET /\r\n\r\n"),
  Buffer.from("\0\0\0\0\r\n\r\n"),
];

const threadFault = (fault: ThreadFault): Disturbance => ({
  name: `a thread: ${fault}`,
  async run({ server, threads, random }) {
    breakThread(server, Math.floor(random() * threads), fault);
  },
});

export const QUICK_DISTURBANCES: readonly Disturbance[] = [
  threadFault("throw"),
  threadFault("terminate"),
  {
    name: "stopped and continued",
    async run({ server }) {
      server.signal("SIGSTOP");
      await pause(STOPPED_MS);
      server.signal("SIGCONT");
    },
  },
  {
    name: "a burst",
    async run({ server, ledger, client, random }) {
      const pushers = Array.from({ length: BURST_CONNECTIONS }, () =>
        startPusher(server.port, ledger, random, { "X-Client-Id": client }),
      );
      await pause(BURST_MS);
      await Promise.all(pushers.map((pusher) => pusher.stop()));
    },
  },
  {
    name: "bad requests",
    async run({ server, random }) {
      const one = async (): Promise<void> => {
        const connection = await RawConnection.open(server.port).catch(() => null);
        connection?.send(oneOf(random, BAD_REQUESTS));
        await connection?.answerOrEnd();
        connection?.close();
      };
      await Promise.all(Array.from({ length: BAD_CONNECTIONS }, one));
    },
  },
];

export const DISTURBANCES: readonly Disturbance[] = [
  ...QUICK_DISTURBANCES,
  threadFault("spin"),
  ...(IS_BUN ? [] : [threadFault("oom")]),
  {
    name: "slow clients",
    async run({ server }) {
      const starts = [
        "POST /metrics HTT",
        "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
        "",
      ];
      const one = async (_: unknown, place: number): Promise<void> => {
        const connection = await RawConnection.open(server.port).catch(() => null);
        connection?.send(starts[place % starts.length]!);
        // A head is cut after 10 s, a body after 30; who never began is closed by us.
        if (place % starts.length === 0) await connection?.ended().catch(() => {});
        connection?.close();
      };
      await Promise.all(Array.from({ length: SLOW_CONNECTIONS }, one));
    },
  },
];

// A load by hand, to see a plant bite without the analyser: connections that are opened all at once, each with its
// requests one after another. A program of its own, because it may have to run in another name space or on another core;
// it prints what came of them as JSON and ends by itself.
//
// probe.ts '{"port":…,"connections":…,…}'

import { connect } from "node:net";
import { largeBody } from "./large-body.ts";

export interface ProbePlan {
  readonly port: number;
  readonly connections: number;
  /** Of each connection. */
  readonly requests: number;
  /** A connection for each request, else each keeps its own. */
  readonly reconnects?: boolean;
  /** Keeps every connection open until the last has ended or the time is over. */
  readonly holds?: boolean;
  /** Batches of 4 MB, else of one metric. */
  readonly isLarge?: boolean;
  /** What is not over then counts as unanswered. */
  readonly msMax: number;
}

export interface ProbeResult {
  /** Connections that were established. */
  readonly established: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that failed, by the system's code; "closed" where one ended before its answer. */
  readonly errors: Readonly<Record<string, number>>;
  /** Requests that were still waiting at the end, and connects. */
  readonly unanswered: number;
  readonly latencyMsMax: number;
}

const BODY = '{"metrics":[{"name":"probe","value":1}]}';

function probe(plan: ProbePlan): Promise<ProbeResult> {
  const body = plan.isLarge === true ? largeBody() : BODY;
  const head = `POST /metrics HTTP/1.1\r\nHost: probe\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const requestOf = (client: number): string =>
    `${head}X-Client-Id: probe-${client}\r\nConnection: ${plan.reconnects ? "close" : "keep-alive"}\r\n\r\n${body}`;
  const statuses: Record<string, number> = {};
  const errors: Record<string, number> = {};
  let established = 0;
  let left = plan.connections;
  let waiting = 0;
  let latencyMsMax = 0;
  return new Promise((resolve) => {
    const finish = (): void => resolve({ established, statuses, errors, unanswered: waiting, latencyMsMax });
    const timer = setTimeout(finish, plan.msMax);
    const end = (): void => {
      if (--left > 0) return;
      clearTimeout(timer);
      finish();
    };
    const open = (client: number, requests: number): void => {
      const request = requestOf(client);
      waiting += 1;
      const socket = connect({ port: plan.port, host: "127.0.0.1", noDelay: true });
      let sentAt = performance.now();
      let text = "";
      let isOver = false;
      let remaining = requests;
      const giveUp = (code: string): void => {
        if (isOver) return;
        isOver = true;
        waiting -= 1;
        errors[code] = (errors[code] ?? 0) + 1;
        socket.destroy();
        end();
      };
      socket.on("connect", () => {
        established += 1;
        sentAt = performance.now();
        socket.write(request);
      });
      socket.on("data", (bytes) => {
        if (isOver) return;
        text += bytes.toString("latin1");
        const answer = /^HTTP\/1\.\d (\d+)[\s\S]*?\r\n\r\n/.exec(text);
        if (answer === null) return;
        const length = Number(/content-length: *(\d+)/i.exec(answer[0])?.[1] ?? 0);
        if (text.length < answer[0].length + length) return;
        text = text.slice(answer[0].length + length);
        statuses[answer[1]!] = (statuses[answer[1]!] ?? 0) + 1;
        latencyMsMax = Math.max(latencyMsMax, performance.now() - sentAt);
        remaining -= 1;
        if (remaining > 0 && !plan.reconnects) {
          sentAt = performance.now();
          socket.write(request);
          return;
        }
        isOver = true;
        waiting -= 1;
        if (!plan.holds) socket.destroy();
        if (remaining > 0) open(client, remaining);
        else end();
      });
      socket.on("error", (error: NodeJS.ErrnoException) => giveUp(error.code ?? error.message));
      socket.on("close", () => giveUp("closed"));
    };
    for (let index = 0; index < plan.connections; index++) open(index, plan.requests);
  });
}

if (import.meta.main) {
  const result = await probe(JSON.parse(process.argv[2]!) as ProbePlan);
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

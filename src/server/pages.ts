// Everything that is not a batch: health, readiness, the server's figures, the front page, and the refusals of requests
// for what is not here. Cold: strings are welcome. Answered by whichever ingest thread has the connection.

import { REFUSAL, type Refusal } from "../errors.ts";
import type { Answers } from "../http/answers.ts";
import { EXPOSITION_CONTENT_TYPE } from "../telemetry/exposition.ts";
import type { ThreadCounters } from "../telemetry/thread-counters.ts";
import { PageTurns, type PageWaiter } from "./page-turns.ts";
import type { IngestConnection } from "./request-context.ts";
import {
  ROUTE_HEALTH,
  ROUTE_METHOD,
  ROUTE_METHOD_UNKNOWN,
  ROUTE_METRICS,
  ROUTE_OPTIONS,
  ROUTE_PAGE,
  ROUTE_READY,
  ROUTE_STATS,
} from "./routes.ts";

/** The server's figures, rendered. */
export interface Figures {
  statsJson(): string;
  countersJson(): string;
  /** Prometheus text format. */
  exposition(): Promise<string>;
}

/** Why no batches are taken now; null when they are. */
export type NotReady = () => string | null;

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";
const FRONT_PAGE = `Tidemark: metrics in, honestly.

POST /metrics   a batch: {"metrics":[{"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"}}]}
GET  /metrics   this server's own metrics for Prometheus; as JSON counters with Accept: application/json
GET  /stats     everything it knows of itself, headroom first of all, as JSON
GET  /health    is the process alive
GET  /ready     does it take batches now
`;

export class Pages {
  private readonly answers: Answers;
  private readonly counters: ThreadCounters;
  private readonly notReady: NotReady;
  private readonly statsTurns: PageTurns;
  private readonly countersTurns: PageTurns;
  private readonly expositionTurns: PageTurns;

  constructor(answers: Answers, counters: ThreadCounters, figures: Figures, notReady: NotReady) {
    this.answers = answers;
    this.counters = counters;
    this.notReady = notReady;
    this.statsTurns = this.turnsOf(JSON_TYPE, () => figures.statsJson());
    this.countersTurns = this.turnsOf(JSON_TYPE, () => figures.countersJson());
    this.expositionTurns = this.turnsOf(EXPOSITION_CONTENT_TYPE, () => figures.exposition());
  }

  answer(connection: IngestConnection): void {
    const { route, allow } = connection.context;
    if (route === ROUTE_HEALTH)
      this.plain(connection, 200, JSON_TYPE, '{"status":"healthy","service":"ingestion"}');
    else if (route === ROUTE_READY) this.ready(connection);
    else if (route === ROUTE_STATS) this.statsTurns.ask(connection);
    else if (route === ROUTE_METRICS)
      (connection.context.acceptsJson ? this.countersTurns : this.expositionTurns).ask(connection);
    else if (route === ROUTE_PAGE) this.plain(connection, 200, TEXT_TYPE, FRONT_PAGE);
    else if (route === ROUTE_OPTIONS) this.plain(connection, 200, TEXT_TYPE, "", allow);
    else if (route === ROUTE_METHOD) this.refuse(connection, REFUSAL.method, allow);
    else if (route === ROUTE_METHOD_UNKNOWN) this.refuse(connection, REFUSAL.method_unknown);
    else this.refuse(connection, REFUSAL.not_found);
  }

  private ready(connection: IngestConnection): void {
    const why = this.notReady();
    if (why === null) this.plain(connection, 200, JSON_TYPE, '{"ready":true}');
    else this.plain(connection, 503, JSON_TYPE, JSON.stringify({ ready: false, why }));
  }

  private turnsOf(type: string, render: () => string | Promise<string>): PageTurns {
    return new PageTurns(render, (waiter: PageWaiter, text, error) => {
      if (error === null) return this.answers.plain(200, type, text, waiter);
      const why = JSON.stringify({ error: `cannot make this page because ${String(error)}` });
      return this.answers.plain(500, JSON_TYPE, why, waiter);
    });
  }

  private plain(connection: IngestConnection, status: number, type: string, body: string, allow = ""): void {
    const { keepAlive, isHttp10, isHead } = connection;
    const options = allow === "" ? { keepAlive, isHttp10, isHead } : { keepAlive, isHttp10, isHead, allow };
    connection.answer(this.answers.plain(status, type, body, options));
  }

  private refuse(connection: IngestConnection, refusal: Refusal, allow = ""): void {
    this.counters.rejected(refusal);
    const { keepAlive, isHttp10, isHead } = connection;
    const options = allow === "" ? { keepAlive, isHttp10, isHead } : { keepAlive, isHttp10, isHead, allow };
    connection.answer(this.answers.refusal(refusal, options));
  }
}

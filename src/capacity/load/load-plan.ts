// What a run of the generator is to do: one plain value, made by the command line or by the capacity run, sent to every
// generator thread as it is. Everything in it can be structured-cloned.

/** How requests are spread over time. */
export type Arrivals =
  /**
   * Each client sends, waits for the answer, and sends again: at once (`paceMs` 0), or at the next multiple of `paceMs`
   * after its own start. A client that is late for several turns skips none: it owes them, and their latency counts
   * from the turn they were planned for.
   */
  | { readonly kind: "closed"; readonly paceMs: number }
  /** Requests are planned on a clock of their own, whatever the server does: from one rate to another, linearly. */
  | { readonly kind: "open"; readonly ratePerSecond: number; readonly rateEndPerSecond: number };

/** When a run ends. */
export type Stop =
  | { readonly kind: "seconds"; readonly seconds: number }
  /** Closed loop only: this many requests of each client; `secondsMax` bounds it where the server stops answering. */
  | { readonly kind: "requests-each"; readonly requests: number; readonly secondsMax: number };

export interface LoadPlan {
  /** Scheme http only; host may be a name, an IPv4 address or an IPv6 address in brackets. */
  readonly url: string;
  readonly method: string;
  /** In the order to be sent; Host, Content-Length and Connection are added where they are missing. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** One is drawn for each request; empty for requests without a body. */
  readonly bodies: readonly Uint8Array[];
  /** Connections: in closed loop exactly these, in open loop at most these. */
  readonly clients: number;
  readonly threads: number;
  readonly arrivals: Arrivals;
  readonly stop: Stop;
  readonly keepAlive: boolean;
  /** Requests a connection may have outstanding, at least 1; more than 1 only with keep-alive. */
  readonly pipeline: number;
  /** From the send to the end of the answer; past it the connection is closed and the request failed. */
  readonly timeoutMs: number;
  /** Sends `X-Client-Id: load-<n>`, one for each connection, so that a server sees as many clients as there are. */
  readonly namesClients: boolean;
  /** Time over which a closed loop's clients start, milliseconds; paced clients are spread over one pace anyway. */
  readonly rampMs: number;
  /** For what is drawn at random: bodies, and the order of clients. */
  readonly seed: number;
}

/** A planned request waits this long past the run's end for its answer, or the timeout where that is shorter. */
export const DRAIN_MS_MAX = 1_000;

// Where requests go: a URL taken apart, once, before anything is sent. Pure.

import { readHttpUrl } from "../flag-values.ts";

export interface LoadUrl {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query, as they stand in the request line. */
  readonly target: string;
  /** The Host header's value. */
  readonly authority: string;
}

const PORT_DEFAULT = 80;

/** Throws TidemarkError, exit code 2, where it is none that can be used. */
export function parseLoadUrl(text: string): LoadUrl {
  const url = new URL(readHttpUrl("--url", text));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? PORT_DEFAULT : Number(url.port),
    target: `${url.pathname}${url.search}`,
    authority: url.host,
  };
}

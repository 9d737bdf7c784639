// Where requests go: a URL taken apart, once, before anything is sent. Pure.

import { TidemarkError } from "../../errors.ts";

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
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TidemarkError(
      `cannot use --url ${text} because it is no URL; try http://127.0.0.1:8080/metrics`,
      2,
    );
  }
  if (url.protocol === "https:") {
    throw new TidemarkError(
      `cannot use --url ${text} because the generator speaks no TLS; try http:// and the port behind the TLS proxy`,
      2,
    );
  }
  if (url.protocol !== "http:" || url.hostname === "") {
    throw new TidemarkError(
      `cannot use --url ${text} because only http:// is spoken; try http://127.0.0.1:8080/metrics`,
      2,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new TidemarkError(
      "cannot use --url because it holds a user name; try --header 'Authorization: …'",
      2,
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? PORT_DEFAULT : Number(url.port),
    target: `${url.pathname}${url.search}`,
    authority: url.host,
  };
}

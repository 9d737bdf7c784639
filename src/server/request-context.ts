// What the pipeline remembers on a connection, about the request at hand and about who is there.

import type { HttpConnection } from "../http/connection.ts";
import type { Client, Credentials } from "./client-directory.ts";

export interface RequestContext extends Credentials {
  route: number;
  /** Of a request for a path that exists, when it is asked what is allowed there. */
  allow: string;
  acceptsJson: boolean;
  requestClient: Client | null;
  level: number;
}

export type IngestConnection = HttpConnection<RequestContext>;

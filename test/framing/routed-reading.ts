// What the running server must answer to a stream of bytes: as own-reading.ts, but with an exchange that refuses by the
// head what the server's pipeline refuses by it, in the same order and with the same functions, because a refusal can
// end a connection. What the batch itself is found to be changes neither the number of answers nor where they end.

import { isClientName } from "../../src/admission/client-name.ts";
import type { HttpConnection } from "../../src/http/connection.ts";
import { ADMIT_REFUSED, ADMIT_SKIP, ADMIT_TAKE, type Exchange } from "../../src/http/exchange.ts";
import { ACK_UNKNOWN, CODING_UNKNOWN, RequestHead } from "../../src/http/request-head.ts";
import { METHOD_HEAD } from "../../src/http/request-method.ts";
import { BODY_BYTES_MAX_DEFAULT } from "../../src/limits.ts";
import { isMediaTypeTaken } from "../../src/server/media-type.ts";
import { ROUTE_HEALTH, ROUTE_INGEST, routeOf } from "../../src/server/routes.ts";
import { feed, SOME_ANSWER, type Standing } from "./own-reading.ts";

export interface RoutedReading {
  /** Final answers, one for each head that was whole, and one for a fault in a head. */
  readonly answers: number;
  readonly standing: Standing;
  /** Of each head that was whole: whether it asks for /health, as nothing but a canary does, and whether by HEAD. */
  readonly heads: readonly { readonly isHealth: boolean; readonly isHead: boolean }[];
}

class RoutedExchange implements Exchange<null> {
  readonly heads: { isHealth: boolean; isHead: boolean }[] = [];

  admit(connection: HttpConnection<null>, head: RequestHead, bytes: Uint8Array): number {
    const route = routeOf(head, bytes);
    this.heads.push({ isHealth: route === ROUTE_HEALTH, isHead: head.method === METHOD_HEAD });
    if (route !== ROUTE_INGEST) return ADMIT_SKIP;
    if (!isRefused(connection, head, bytes)) return ADMIT_TAKE;
    connection.answer(SOME_ANSWER);
    return ADMIT_REFUSED;
  }

  handle(connection: HttpConnection<null>): void {
    connection.answer(SOME_ANSWER);
  }

  refused(): number {
    return 0;
  }
}

const routedHead = new RequestHead();

export function readAsRouted(bytes: Buffer): RoutedReading {
  const exchange = new RoutedExchange();
  const { answers, standing } = feed(exchange, routedHead, bytes, []);
  return { answers, standing, heads: exchange.heads };
}

/** As Pipeline.admit(), for a server without tokens, rate limit or load. */
function isRefused(connection: HttpConnection<null>, head: RequestHead, bytes: Uint8Array): boolean {
  if (head.clientIdStart >= 0 && !isClientName(bytes, head.clientIdStart, head.clientIdEnd)) return true;
  if (head.contentLength > BODY_BYTES_MAX_DEFAULT) {
    connection.keepAlive = false;
    return true;
  }
  return (
    (head.contentTypeStart >= 0 && !isMediaTypeTaken(bytes, head.contentTypeStart, head.contentTypeEnd)) ||
    head.contentCoding === CODING_UNKNOWN ||
    head.ackAsked === ACK_UNKNOWN
  );
}

// What the server's parsers make of bytes that were forwarded as ONE request: whether they are one here too. The bare
// parsers, not the connection, so that nothing that ends a connection hides what stands behind the first request.

import { REFUSALS } from "../../src/errors.ts";
import { CHUNKED_DONE, CHUNKED_MORE, ChunkedBody } from "../../src/http/chunked-body.ts";
import { HEAD_FAULT, HEAD_PARTIAL, RequestHead } from "../../src/http/request-head.ts";
import { BODY_BYTES_MAX_DEFAULT } from "../../src/limits.ts";
import { type TakenRequest, takenFrom } from "./own-reading.ts";

export type OneRequest =
  | { readonly outcome: "whole"; readonly request: TakenRequest; readonly bytesLeft: number }
  | { readonly outcome: "waiting" }
  | { readonly outcome: "refused"; readonly status: number; readonly reason: string };

const head = new RequestHead();
const out = Buffer.alloc(BODY_BYTES_MAX_DEFAULT);

/** Reads the first request in the bytes. */
export function readOneRequest(bytes: Buffer): OneRequest {
  const outcome = head.parse(bytes, 0, bytes.length);
  if (outcome === HEAD_PARTIAL) return { outcome: "waiting" };
  if (outcome === HEAD_FAULT) return refused(head.fault, head.faultDetail);
  if (!head.isChunked) {
    const end = head.headEnd + Math.max(0, head.contentLength);
    if (end > bytes.length) return { outcome: "waiting" };
    return whole(bytes, bytes.toString("latin1", head.headEnd, end), bytes.length - end);
  }
  const chunked = new ChunkedBody();
  const status = chunked.decode(bytes, head.headEnd, bytes.length, out, 0, out.length);
  if (status === CHUNKED_MORE) return { outcome: "waiting" };
  if (status !== CHUNKED_DONE) return refused(0, chunked.faultDetail);
  return whole(bytes, out.toString("latin1", 0, chunked.outEnd), bytes.length - chunked.consumedEnd);
}

function whole(bytes: Buffer, body: string, bytesLeft: number): OneRequest {
  return { outcome: "whole", request: takenFrom(head, bytes, 0, body), bytesLeft };
}

function refused(refusal: number, detail: string): OneRequest {
  return { outcome: "refused", status: REFUSALS[refusal]!.status, reason: detail };
}

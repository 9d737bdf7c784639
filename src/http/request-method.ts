// The methods by number. Methods are case-sensitive tokens (RFC 9110 9.1): "get" is no GET, it is METHOD_OTHER.
// HOT: decided once a request, on the length first.

import { isWord, wordBytes } from "./character-class.ts";

export const METHOD_OTHER = 0;
export const METHOD_GET = 1;
export const METHOD_HEAD = 2;
export const METHOD_POST = 3;
export const METHOD_OPTIONS = 4;
export const METHOD_PUT = 5;
export const METHOD_DELETE = 6;
export const METHOD_PATCH = 7;
export const METHOD_TRACE = 8;
export const METHOD_CONNECT = 9;

const GET = wordBytes("GET");
const HEAD = wordBytes("HEAD");
const POST = wordBytes("POST");
const OPTIONS = wordBytes("OPTIONS");
const PUT = wordBytes("PUT");
const DELETE = wordBytes("DELETE");
const PATCH = wordBytes("PATCH");
const TRACE = wordBytes("TRACE");
const CONNECT = wordBytes("CONNECT");

/** The number of the method bytes[start, end). */
export function decodeMethod(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 3:
      if (isWord(bytes, start, end, GET)) return METHOD_GET;
      return isWord(bytes, start, end, PUT) ? METHOD_PUT : METHOD_OTHER;
    case 4:
      if (isWord(bytes, start, end, POST)) return METHOD_POST;
      return isWord(bytes, start, end, HEAD) ? METHOD_HEAD : METHOD_OTHER;
    case 5:
      if (isWord(bytes, start, end, PATCH)) return METHOD_PATCH;
      return isWord(bytes, start, end, TRACE) ? METHOD_TRACE : METHOD_OTHER;
    case 6:
      return isWord(bytes, start, end, DELETE) ? METHOD_DELETE : METHOD_OTHER;
    case 7:
      if (isWord(bytes, start, end, OPTIONS)) return METHOD_OPTIONS;
      return isWord(bytes, start, end, CONNECT) ? METHOD_CONNECT : METHOD_OTHER;
    default:
      return METHOD_OTHER;
  }
}

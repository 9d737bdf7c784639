// What reading an answer costs: a Tidemark's, a short one, and one in chunks; whole, and in two pieces.

import { MORE, ResponseReader } from "./response-reader.ts";

const ANSWERS: Readonly<Record<string, string>> = {
  short: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  usual:
    "HTTP/1.1 200 OK\r\nServer: nginx/1.26.3\r\nDate: Sun, 23 Nov 2025 16:02:00 GMT\r\nContent-Type: application/json\r\n" +
    'Content-Length: 38\r\nConnection: keep-alive\r\n\r\n{"success":true,"metrics_processed":3}',
  chunked:
    "HTTP/1.1 200 OK\r\nDate: Sun, 23 Nov 2025 16:02:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n5;x=y\r\n12345\r\n0\r\n\r\n",
};

export function run(small: boolean): void {
  for (const [name, text] of Object.entries(ANSWERS)) {
    const whole = Buffer.from(text);
    const half = whole.length >> 1;
    const best = (pieces: readonly Uint8Array[]): string => {
      let nanoseconds = Number.POSITIVE_INFINITY;
      for (let round = 0; round < (small ? 2 : 100); round++)
        nanoseconds = Math.min(nanoseconds, nanosecondsEach(pieces, small ? 2_000 : 20_000));
      return nanoseconds.toFixed(0);
    };
    const inTwo = best([whole.subarray(0, half), whole.subarray(half)]);
    console.error(`${name}, ${whole.length} bytes: ${best([whole])} ns an answer, ${inTwo} ns in two pieces`);
  }
}

function nanosecondsEach(pieces: readonly Uint8Array[], answers: number): number {
  const reader = new ResponseReader(false);
  const start = performance.now();
  let read = 0;
  for (let answer = 0; answer < answers; answer++) {
    for (const piece of pieces) if (reader.read(piece, 0) !== MORE) read++;
  }
  if (read !== answers) throw new Error("an answer was not read to its end");
  return ((performance.now() - start) * 1e6) / answers;
}

if (import.meta.main) run(false);

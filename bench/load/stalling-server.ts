// A target that answers at once but for one stall: it sleeps for the milliseconds given as second word, once, when as many
// milliseconds as the first word says have passed since its first request. Prints its port, and how long it really slept.
import { createServer } from "node:net";

const [afterMs, stallMs] = process.argv.slice(2).map(Number) as [number, number];
const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
const END_OF_HEAD = "\r\n\r\n";

let firstMs = 0;
let hasStalled = false;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    if (firstMs === 0) firstMs = performance.now();
    if (!hasStalled && performance.now() - firstMs >= afterMs) stall();
    // Requests without bodies, each in one piece: a generator at work sends no others.
    for (let at = bytes.indexOf(END_OF_HEAD); at >= 0; at = bytes.indexOf(END_OF_HEAD, at + 4))
      socket.write(ANSWER);
  });
});

function stall(): void {
  hasStalled = true;
  const from = performance.now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
  process.stdout.write(`stalled ${performance.now() - from}\n`);
}

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`port ${(server.address() as { port: number }).port}\n`);
});

// A server of one event loop, as most are written, with two faults that can be switched on: each request costs some
// work on the loop, and every so often the loop is held up by something that blocks.
//
// one-loop.ts WORK_US STALL_MS STALL_EVERY_MS   (0 for none; it chooses its port and says "listening PORT")

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [workUs = 0, stallMs = 0, stallEveryMs = 0] = process.argv.slice(2).map(Number);
const BACKLOG = 4096;
const BODY = '{"success":true}';
const asleep = new Int32Array(new SharedArrayBuffer(4));

const server = createServer((incoming, answer) => {
  incoming.resume();
  incoming.on("end", () => {
    const until = performance.now() + workUs / 1000;
    while (performance.now() < until);
    answer.writeHead(200, { "Content-Type": "application/json", "Content-Length": BODY.length });
    answer.end(BODY);
  });
});
server.keepAliveTimeout = 75_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});

// A call that blocks: the loop is asleep in it, not busy.
if (stallMs > 0) setInterval(() => Atomics.wait(asleep, 0, 0, stallMs), stallEveryMs);
process.on("SIGTERM", () => process.exit(0));

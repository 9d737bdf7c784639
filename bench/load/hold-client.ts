// A program of its own: opens N connections and holds them. It obeys lines on standard input and answers each with
// one line of JSON: `open` opens them all, `send` has each send one batch and wait for its answer, `count` tells
// how many are still open. It ends when standard input does.
// Usage: hold-client.ts PORT CONNECTIONS BODY_FILE
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { AnswerReader } from "./answer-reader.ts";

/** Opened or asked at once: enough to be quick, few enough that no listen queue overflows. */
const AT_ONCE = 50;
const ANSWER_MS_MAX = 10_000;

const [port, connectionCount] = process.argv.slice(2, 4).map(Number) as [number, number];
const body = readFileSync(process.argv[4]!);
const head = `POST /metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
const request = Buffer.concat([Buffer.from(head), body]);
const sockets: Socket[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "open") await inTurns(connectionCount, openOne);
  const answered = line === "send" ? await inTurns(sockets.length, (index) => askOne(sockets[index]!)) : 0;
  const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === "open").length;
  process.stdout.write(`${JSON.stringify({ open, answered })}\n`);
}
for (const socket of sockets) socket.resetAndDestroy(); // leaves no port in TIME_WAIT
process.exit(0);

/** Runs `turn` for 0 to count − 1, AT_ONCE at a time; how many said true. */
async function inTurns(count: number, turn: (index: number) => Promise<boolean>): Promise<number> {
  let next = 0;
  let successes = 0;
  const lane = async () => {
    while (next < count) if (await turn(next++)) successes++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return successes;
}

function openOne(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    sockets.push(socket);
    socket.once("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.resume(); // an end must be seen
  });
}

function askOne(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const answers = new AnswerReader();
    const finish = (success: boolean) => {
      clearTimeout(timer);
      socket.off("data", read);
      resolve(success);
    };
    const read = (bytes: Buffer) => {
      const status = answers.read(bytes);
      if (status !== null) finish(status === 200);
    };
    const timer = setTimeout(() => finish(false), ANSWER_MS_MAX);
    if (socket.destroyed) return finish(false);
    socket.on("data", read);
    socket.write(request);
  });
}

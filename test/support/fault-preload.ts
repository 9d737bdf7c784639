// Loaded into the server's process before the program, by --import, to make one of its threads die on demand: there is
// no public way to kill a thread, and the program shall have none for the tests' sake. It notes each Worker that is made;
// a signal to the process then breaks the newest but one:
//
//   SIGUSR2   a message that its handler cannot read: an error that nobody catches, as a bug of ours would be
//   SIGHUP    terminate(): gone between two instructions, without a word

import { Worker } from "node:worker_threads";

const workers: Worker[] = [];
const { on } = Worker.prototype;

Worker.prototype.on = function (this: Worker, ...heard: Parameters<typeof on>) {
  if (!workers.includes(this)) {
    workers.push(this);
    on.call(this, "exit", () => workers.splice(workers.indexOf(this), 1));
  }
  return on.apply(this, heard);
} as typeof on;

process.on("SIGUSR2", () => workers[0]?.postMessage(null));
process.on("SIGHUP", () => workers[0]?.terminate());

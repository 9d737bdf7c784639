// The machine's clock is set while the server runs. Only this process sees it: a library loaded before the program answers
// for the wall clock from a file, at every call, and leaves the monotonic one alone.

import assert from "node:assert/strict";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RawConnection } from "../../support/raw-client.ts";
import { get, post } from "../../support/requests.ts";
import { eventually } from "../../support/server-process.ts";
import { type Bed, tail } from "../bed.ts";
import type { Fault } from "../fault.ts";

const LIBRARIES = ["x86_64", "aarch64"].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
);
const LIBRARY = LIBRARIES.find((path) => existsSync(path));
const STEP_FILE = join(tmpdir(), `tidemark-torture-clock-${process.pid}`);
/** Requests a second and client, low, so that a burst is over it. */
const RATE = 100;
const BURST = 250;
/** The longest wait that a limiter which counts in seconds can ask for. */
const RETRY_AFTER_S_MAX = 10;
const HALF_DAY_MS = 12 * 60 * 60 * 1000;

const FAKED = {
  flags: ["--rate-limit", `${RATE}`],
  options: {
    environment: {
      LD_PRELOAD: LIBRARY ?? "",
      FAKETIME_TIMESTAMP_FILE: STEP_FILE,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  },
};

export const CLOCK: Fault = {
  name: "clock",
  what: "the wall clock is set a day forward, two back, and one forward again",
  injected: "libfaketime in the server's process alone, its file rewritten while it runs",
  promise: "soak",
  missing: () => (LIBRARY === undefined ? "faketime was not found" : null),
  async run(bed) {
    setClock("+0");
    await bed.use(FAKED);
    const pid = bed.server.child.pid!;
    try {
      await bed.serves();
      for (const [offset, day] of [
        ["+1d", 1],
        ["-1d", -1],
        ["+0", 0],
      ] as const)
        await step(bed, offset, day);
      assert.equal(await bed.restarts(), 0, `no thread was replaced: ${tail(bed.server.error)}`);
      // The next one has the true clock.
      await bed.term();
      await bed.start();
    } finally {
      // What the library leaves behind where its process was killed.
      for (const left of ["faketime_shm_", "sem.faketime_sem_"])
        rmSync(`/dev/shm/${left}${pid}`, { force: true });
      rmSync(STEP_FILE, { force: true });
    }
  },
};

/** One setting of the clock, and what must not care: the limiter, a deadline that runs, the background sync. */
async function step(bed: Bed, offset: string, day: number): Promise<void> {
  await bed.load(50, 200);
  const { port } = bed.server;
  const half = await RawConnection.open(port);
  const { bytes, acknowledged } = bed.batch({
    "X-Other": "a field more, so that there is something to send later",
  });
  half.send(bytes.subarray(0, 40));
  const syncsBefore = await syncs(bed);
  const beganMs = performance.now();
  const before = await burst(port);
  setClock(offset);
  const after = await burst(port);
  const seconds = (performance.now() - beganMs) / 1000;
  const admitted = before.admitted + after.admitted;
  const allowed = RATE * seconds + RATE;
  assert.ok(admitted <= allowed, `${admitted} admitted in ${seconds} s where ${allowed} were allowed`);
  for (const wait of [...before.waitsS, ...after.waitsS])
    assert.ok(wait <= RETRY_AFTER_S_MAX, `Retry-After: ${wait}`);

  await eventually(`the server's clock is ${offset}`, async () => {
    const offMs = (await dateMs(port)) - Date.now();
    return Math.abs(offMs - 2 * day * HALF_DAY_MS) < HALF_DAY_MS;
  });
  await eventually("the limiter admits again", async () => (await burst(port)).admitted > 0);
  await bed.load(100, 400);
  await eventually(
    "written bytes are synced in the background",
    async () => (await syncs(bed)) > syncsBefore,
  );
  half.send(bytes.subarray(40));
  const answer = await half.answer();
  half.close();
  // The load has the same name, so the limit may be used up.
  assert.ok([200, 429].includes(answer.status), `a request begun before the step got ${answer.head}`);
  if (answer.status === 200) acknowledged();
}

/** Requests of one client at once, which are refused for their bodies where the limiter admits them. */
async function burst(port: number): Promise<{ admitted: number; waitsS: number[] }> {
  const connection = await RawConnection.open(port);
  const request = post("{}", { "X-Client-Id": "clock" });
  connection.send(Buffer.concat(Array.from({ length: BURST }, () => request)));
  let admitted = 0;
  const waitsS: number[] = [];
  for (let index = 0; index < BURST; index++) {
    const { status, headers, head } = await connection.answer();
    assert.ok(status === 400 || status === 429, head);
    if (status === 400) admitted++;
    else waitsS.push(Number(headers.get("retry-after")));
  }
  connection.close();
  return { admitted, waitsS };
}

async function dateMs(port: number): Promise<number> {
  const connection = await RawConnection.open(port);
  connection.send(get("/health"));
  const { headers } = await connection.answer();
  connection.close();
  return Date.parse(headers.get("date") ?? "");
}

async function syncs(bed: Bed): Promise<number> {
  const { sync } = (await bed.stats()) as unknown as { sync: { syncs: number } };
  return sync.syncs;
}

/** At once for the reader: it never sees half a file. */
function setClock(offset: string): void {
  writeFileSync(`${STEP_FILE}.new`, `${offset}\n`);
  renameSync(`${STEP_FILE}.new`, STEP_FILE);
}

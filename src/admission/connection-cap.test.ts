import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { TidemarkError } from "../errors.ts";
import { CONNECTIONS_MAX_CEILING, THREADS_MAX } from "../limits.ts";
import {
  CONNECTIONS_AUTO,
  connectionsMaxFrom,
  DESCRIPTORS_PER_THREAD,
  DESCRIPTORS_PROCESS,
  decodeDescriptorLimits,
  readDescriptorLimits,
} from "./connection-cap.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max core file size        0                    unlimited            bytes     
Max open files            1024                 524288               files     
Max locked memory         8388608              8388608              bytes     
`;

test("auto is what the descriptors leave after the process and its threads", () => {
  assert.equal(
    connectionsMaxFrom(1024, 1, CONNECTIONS_AUTO),
    1024 - DESCRIPTORS_PROCESS - DESCRIPTORS_PER_THREAD,
  );
  assert.equal(
    connectionsMaxFrom(20_000, 2, CONNECTIONS_AUTO),
    20_000 - DESCRIPTORS_PROCESS - 2 * DESCRIPTORS_PER_THREAD,
  );
  assert.equal(connectionsMaxFrom(Number.POSITIVE_INFINITY, 2, CONNECTIONS_AUTO), CONNECTIONS_MAX_CEILING);
});

test("a number that the descriptors allow is taken as it is, to the last one", () => {
  assert.equal(connectionsMaxFrom(1024, 1, 10), 10);
  const most = connectionsMaxFrom(1024, 1, CONNECTIONS_AUTO);
  assert.equal(connectionsMaxFrom(1024, 1, most), most);
  assert.throws(() => connectionsMaxFrom(1024, 1, most + 1), TidemarkError);
});

test("a number that they do not allow is refused with the flag, the reason and what to try", () => {
  assert.throws(
    () => connectionsMaxFrom(1024, 4, 5000),
    (error: TidemarkError) => {
      assert.match(
        error.message,
        /cannot hold --connections-max 5000 .* because .* 1024 .*; try ulimit -n 5160/,
      );
      assert.equal(error.exitCode, 2);
      return true;
    },
  );
});

test("more threads than there are descriptors for is refused, and what it says to try works", () => {
  assert.throws(
    () => connectionsMaxFrom(1024, THREADS_MAX, CONNECTIONS_AUTO),
    (error: TidemarkError) => {
      const tried = Number(/ulimit -n (\d+)/.exec(error.message)![1]);
      assert.ok(connectionsMaxFrom(tried, THREADS_MAX, CONNECTIONS_AUTO) >= THREADS_MAX);
      return true;
    },
  );
});

test("whatever is asked for, the answer fits into the descriptors or there is none", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: THREADS_MAX }),
      fc.integer({ min: 0, max: 200_000 }),
      (descriptors, threads, override) => {
        let connections = 0;
        try {
          connections = connectionsMaxFrom(descriptors, threads, override);
        } catch (error) {
          assert.ok(error instanceof TidemarkError);
          return;
        }
        assert.ok(connections >= 1);
        assert.ok(connections + DESCRIPTORS_PROCESS + threads * DESCRIPTORS_PER_THREAD <= descriptors);
        if (override !== CONNECTIONS_AUTO) assert.equal(connections, override);
      },
    ),
  );
});

test("the limits of a process are read from what the kernel says of it", () => {
  assert.deepEqual(decodeDescriptorLimits(LIMITS), { soft: 1024, hard: 524_288 });
  const unlimited = LIMITS.replace("1024                 524288   ", "unlimited            unlimited");
  assert.deepEqual(decodeDescriptorLimits(unlimited), { soft: Infinity, hard: Infinity });
});

test("where there is no /proc, or nothing of use in it, the limit is taken to be 1,024", () => {
  assert.deepEqual(readDescriptorLimits("/nowhere/limits"), { soft: 1024, hard: 1024 });
  assert.deepEqual(decodeDescriptorLimits("Max open files            x                    -1   files"), {
    soft: 1024,
    hard: 1024,
  });
});

test("this process has limits", { skip: existsSync("/proc/self/limits") ? false : "no /proc here" }, () => {
  const { soft, hard } = readDescriptorLimits();
  assert.ok(soft >= 20 && hard >= soft);
});

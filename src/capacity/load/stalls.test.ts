import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STALLS_MAX } from "./load-result.ts";
import { findStalls } from "./stalls.ts";

const IDLE = Number.POSITIVE_INFINITY;
const silence = (fromMs: number, waitingFromMs: number, toMs: number) => ({ fromMs, waitingFromMs, toMs });

describe("a stall", () => {
  test("is a silence in which something was awaited, from then on", () => {
    assert.deepEqual(findStalls([[silence(100, 130, 300)]]), [{ atMs: 130, lastedMs: 170 }]);
  });

  test("is not a silence in which nothing was awaited, or not for long", () => {
    assert.deepEqual(findStalls([[silence(0, IDLE, 900), silence(1000, 1060, 1100)]]), []);
  });

  test("is where all threads were silent, whichever of them waited", () => {
    const threads = [[silence(100, 100, 400)], [silence(0, IDLE, 350)], [silence(150, 320, 500)]];
    assert.deepEqual(findStalls(threads), [{ atMs: 150, lastedMs: 200 }]);
  });

  test("is none where one thread was answered all the while", () => {
    assert.deepEqual(findStalls([[silence(100, 100, 400)], []]), []);
    assert.deepEqual(
      findStalls([[silence(100, 100, 400)], [silence(0, IDLE, 130), silence(360, IDLE, 900)]]),
      [],
    );
  });

  test("of two within another thread's long silence are both found", () => {
    const threads = [[silence(0, IDLE, 1000)], [silence(100, 100, 200), silence(500, 510, 700)]];
    assert.deepEqual(findStalls(threads), [
      { atMs: 100, lastedMs: 100 },
      { atMs: 510, lastedMs: 190 },
    ]);
  });

  test("beyond the most that are kept is dropped, and no threads have none", () => {
    const many = Array.from({ length: STALLS_MAX + 5 }, (_, index) =>
      silence(index * 100, index * 100, index * 100 + 60),
    );
    assert.equal(findStalls([many]).length, STALLS_MAX);
    assert.deepEqual(findStalls([]), []);
  });
});

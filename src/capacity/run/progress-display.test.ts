import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProgressEvent } from "./progress.ts";
import { openProgressDisplay } from "./progress-display.ts";

const slot = {
  kind: "slot",
  spec: { id: "paced-20" },
  slot: { atMs: 0, sent: 50, succeeded: 50, failed: 1, latencyMsMean: 1.25, latencyMsMax: 2 },
} as ProgressEvent;

function openOn(isTTY: boolean) {
  const stream = { isTTY, columns: 40, text: "", write: (text: string) => (stream.text += text) };
  let nowMs = 0;
  const display = openProgressDisplay(stream, () => nowMs);
  return { stream, display, pass: (ms: number) => (nowMs += ms) };
}

describe("the progress of a run", () => {
  test("in a pipe each part is a line, and nothing is rewritten", () => {
    const { stream, display, pass } = openOn(false);
    display.onProgress({ kind: "part", text: "the ladder", secondsAbout: 54.6 });
    pass(61_000);
    display.onProgress(slot);
    display.onProgress({ kind: "note", text: "a note" });
    display.close();
    assert.equal(stream.text, "0:00  the ladder (about 55 s)\n1:01    a note\n");
  });

  test("on a terminal the live line is rewritten, never wider than the terminal, and taken away", () => {
    const { stream, display } = openOn(true);
    display.onProgress(slot);
    assert.match(stream.text, /paced-20: 200 requests\/s/);
    for (const part of stream.text.split("\r\x1b[2K")) assert.ok(part.length < 40, part);
    display.onProgress({ kind: "note", text: "done" });
    assert.ok(stream.text.endsWith("\r\x1b[2K0:00    done\n"));
    display.onProgress(slot);
    display.close();
    assert.ok(stream.text.endsWith("\r\x1b[2K"));
  });
});

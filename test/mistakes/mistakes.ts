// Wrong edits, each one that somebody could make on a good day, with the tests that must notice. apply.ts makes them one at
// a time in a copy of the project. `find` stands once in its file, which mistakes.test.ts holds to, so that the list
// follows the code.

export interface Mistake {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The test files that are run against it; at least one must fail. */
  readonly tests: readonly string[];
}

const FORWARD_TESTS = ["src/forward/forwarder.test.ts"];
const LANE_TESTS = ["src/log/lane.test.ts", "src/log/lane.property.test.ts"];

export const MISTAKES: readonly Mistake[] = [
  {
    name: "answer `synced` before the sync",
    file: "src/log/commit-buffer.ts",
    find: "if (level >= ACK_SYNCED) this.atSync",
    replace: "if (level > ACK_SYNCED) this.atSync",
    tests: LANE_TESTS,
  },
  {
    name: "answer `written` before the write: a batch in flight is dropped when its thread dies",
    file: "src/server/pipeline.ts",
    find: "if (context.level === ACK_ACCEPTED) {",
    replace: "if (context.level < ACK_SYNCED) {",
    tests: ["test/e2e/batches.test.ts", "test/e2e/disk-full.test.ts", "test/torture/torture.test.ts"],
  },
  {
    name: "no directory sync",
    file: "src/log/syncer.ts",
    find: "if (segment.entrySynced) this.syncBytes(segment);",
    replace: "if (segment.bytes >= 0) this.syncBytes(segment);",
    tests: [...LANE_TESTS, "test/model/simulation.test.ts"],
  },
  {
    name: "try a failed sync again",
    file: "src/log/syncer.ts",
    find: `  private synced(error: FileError | null): void {
    const segment = this.syncing!;
    if (error !== null) {
      this.fail(segment, error);`,
    replace: `  private synced(error: FileError | null): void {
    const segment = this.syncing!;
    if (error !== null) {
      this.files.fdatasync(segment.fd, this.syncedBound);`,
    tests: LANE_TESTS,
  },
  {
    name: "take a failed write for done",
    file: "src/log/lane.ts",
    find: "else if (error !== null) this.commitFailed(segment, error);",
    replace: "else if (error !== null) this.commitWritten(segment);",
    tests: LANE_TESTS,
  },
  {
    name: "take a short write for a whole one",
    file: "src/log/commit-write.ts",
    find: "if (this.bytesDone < this.bytes) this.writePiece(segment);",
    replace: "if (this.bytesDone < 1) this.writePiece(segment);",
    tests: [...LANE_TESTS, "src/log/commit-write.test.ts"],
  },
  {
    name: "leave the half of a failed write in the file",
    file: "src/log/segment.ts",
    find: "      files.ftruncate(this.fd, this.bytes);\n",
    replace: "",
    tests: LANE_TESTS,
  },
  {
    name: "truncate on a bad record in the middle",
    file: "src/log/segment-scan.ts",
    find: `    else this.pieces.damaged(offset, length, lines);
    this.position = offset + length;`,
    replace: `    else this.pieces.torn(offset, this.size - offset);
    this.position = found === crc ? offset + length : this.size;`,
    tests: ["src/log/recovery-damage.test.ts"],
  },
  {
    name: "trust a record's length without its checksum",
    file: "src/log/segment-scan.ts",
    find: "if (found === crc) this.pieces",
    replace: "if (found === crc || lines > 0) this.pieces",
    tests: ["src/log/recovery-damage.test.ts"],
  },
  {
    name: "a queue bounded by bytes alone",
    file: "src/log/lane.ts",
    find: " || this.isQueueLong(level)",
    replace: "",
    tests: ["src/log/queue-bound.test.ts"],
  },
  {
    name: "no cap after decompression",
    file: "src/http/content-coding.ts",
    find: "return run(gunzipSync, bytes, { maxOutputLength: bytesMax, info: true });",
    replace: "return run(gunzipSync, bytes, { info: true });",
    tests: ["src/http/content-coding.test.ts"],
  },
  {
    name: "no Host check",
    file: "src/http/request-head.ts",
    find: "if (!this.hasHost && !this.isHttp10)",
    replace: "if (!this.hasHost && this.isHttp10)",
    tests: ["src/http/request-head.test.ts"],
  },
  {
    name: "take both Content-Length and Transfer-Encoding",
    file: "src/http/request-head.ts",
    find: "if (this.contentLength >= 0) {\n        return this.faultAtEnd",
    replace: "if (this.contentLength > 1e9) {\n        return this.faultAtEnd",
    tests: ["src/http/request-head.test.ts", "test/conformance/smuggling.test.ts"],
  },
  {
    name: "trust a length: room for a whole body on its word",
    file: "src/http/body-reader.ts",
    find: "const wanted = Math.min(this.contentLength, (this.bytes + taken) * 4);",
    replace: "const wanted = this.contentLength;",
    tests: ["src/http/connection.test.ts"],
  },
  {
    name: "keep a slice of the read buffer",
    file: "src/http/kept-bytes.ts",
    find: "this.bytes = copyBytes(bytes, start, end);",
    replace: "this.bytes = bytes.subarray(start, end);",
    tests: ["src/http/connection.test.ts"],
  },
  {
    name: "keep bytes that nobody charges for",
    file: "src/http/kept-bytes.ts",
    find: "if (!budget.tryTake(end - start)) return false;",
    replace: "if (!budget.tryTake(0)) return false;",
    tests: ["src/http/connection.test.ts"],
  },
  {
    name: "renew the patience with every byte of a head",
    file: "src/http/connection.ts",
    find: "if (!this.isHeadBegun && !isEmptyLines(bytes, start, end)) {",
    replace: "if (!isEmptyLines(bytes, start, end)) {",
    tests: ["src/http/connection.test.ts", "test/e2e/patience.test.ts"],
  },
  {
    name: "serve a flood of pipelined requests in one turn",
    file: "src/http/connection.ts",
    find: "if (++this.taken > REQUESTS_PER_TURN_MAX) {",
    replace: "if (++this.taken > 1_000 * REQUESTS_PER_TURN_MAX) {",
    tests: ["src/http/connection.test.ts"],
  },
  {
    name: "remember a token that was taken away",
    file: "src/server/client-directory.ts",
    find: "if (credentials.generation !== this.generation) this.forget(credentials);",
    replace: "",
    tests: ["test/tls/serve.test.ts"],
  },
  {
    name: "wall clock in the limiter",
    file: "src/server/pipeline.ts",
    find: `    const nowMs = parts.clock.monotonicMs();
    parts.sample.tick`,
    replace: `    const nowMs = parts.clock.wallMs();
    parts.sample.tick`,
    tests: ["test/e2e/admission.test.ts", "test/torture/torture.test.ts"],
  },
  {
    name: "a limiter that writes without comparing",
    file: "src/admission/rate-limiter.ts",
    find: "if (tryReplaceArrival(words, slot, arrival, moved)) return 0;",
    replace: "if (tryReplaceArrival(words, slot, arrivalAt(words, slot), moved)) return 0;",
    tests: ["src/admission/rate-limiter.test.ts", "src/admission/rate-limiter.threads.test.ts"],
  },
  {
    name: "a refusal that is not counted",
    file: "src/server/pipeline.ts",
    find: `    counters.rejected(refusal);
    if (sample.follows(connection)) sample.drop();`,
    replace: "    if (sample.follows(connection)) sample.drop();",
    tests: ["test/e2e/accounting.test.ts", "test/e2e/contract.test.ts"],
  },
  {
    name: "a drain that does not wait for the log",
    file: "src/server/ingest.worker.ts",
    find: `  lane.close(() => {
    publish();
    tell({ kind: "drained" });
  });`,
    replace: `  publish();
  tell({ kind: "drained" });`,
    tests: ["test/e2e/restart.test.ts"],
  },
  {
    name: "a second server on the same folder",
    file: "src/server/folder-lock.ts",
    find: "await lock.contest();",
    replace: "await Promise.resolve();",
    tests: ["src/server/folder-lock.test.ts"],
  },
  {
    name: "a spinning thread that nobody ends",
    file: "src/server/supervisor.ts",
    find: 'if (verdict === "spins") workers.endSpinning(thread);',
    replace: "",
    tests: ["test/e2e/threads.test.ts"],
  },
  {
    name: "forward: the cursor moves before the store has answered",
    file: "src/forward/shard.ts",
    find: "      const letters: DeadLetter[] = [];\n",
    replace:
      "      const letters: DeadLetter[] = [];\n      batch.settle();\n      this.options.onSettled();\n",
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: a series goes through any connection",
    file: "src/forward/forwarder.ts",
    find: "shards[cache.series % shards.length]!",
    replace: "shards[lines % shards.length]!",
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: lanes one after the other",
    file: "src/forward/forwarder.ts",
    find: "if (lines > 0 && untilMs !== NO_END && timestampMsAt(bytes, at) > untilMs) break;",
    replace: "",
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: a refused request is set aside whole",
    file: "src/forward/shard.ts",
    find: "      if (to - from > 1) {",
    replace:
      '      if (outcome.verdict === "refused")\n        for (let at = from; at < to; at++)\n          letters.push({ status: outcome.answer.status, answer: outcome.answer.text, line: batch.line(at) });\n      else if (to - from > 1) {',
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: a wrong address costs the lines",
    file: "src/forward/shard.ts",
    find: 'if (place !== "taken") verdict =',
    replace: 'if (place === "settings") verdict =',
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: what was given up counts as done",
    file: "src/forward/shard.ts",
    find: "    this.generation++;\n    for (const batch of this.queue",
    replace: "    for (const batch of this.queue",
    tests: [...FORWARD_TESTS, "test/forward/victoria-metrics.test.ts"],
  },
  {
    name: "forward: Retry-After is for the others",
    file: "src/forward/store-state.ts",
    find: "if (retryAfterMs !== null) this.notBeforeMs = this.clock.monotonicMs() + retryAfterMs;",
    replace: "if (retryAfterMs !== null) this.notBeforeMs = 0;",
    tests: FORWARD_TESTS,
  },
  {
    name: "forward: a store that forgot is believed",
    file: "src/forward/store-connection.ts",
    find: "if (!this.isEndExpected) this.onLost();",
    replace: "",
    tests: [...FORWARD_TESTS, "test/forward/victoria-metrics.test.ts"],
  },
  {
    name: "forward: what the store may forget is kept at once",
    file: "src/forward/followed-lane.ts",
    find: "mark.ms <= untilMs",
    replace: "mark.ms <= Infinity",
    tests: [...FORWARD_TESTS, "test/forward/victoria-metrics.test.ts"],
  },
];

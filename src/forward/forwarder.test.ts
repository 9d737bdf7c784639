// A forwarder between a log that is written by hand and a store that answers what it is told to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { CUT, ForwardBed, isOfLog, lineOf, type ScriptedAnswer } from "./store-bed.ts";

let bed: ForwardBed;
beforeEach(async () => {
  bed = new ForwardBed();
  await bed.store.open();
});
afterEach(() => bed.close());

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);
const linesOf = (count: number) => upTo(count).map((at) => lineOf(at, { host: `h${at % 10}` }));
const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const cursor = () => JSON.parse(readFileSync(join(bed.data, "followers", "forward-test.json"), "utf8")).lanes;
const letters = () =>
  readFileSync(join(bed.data, "dead-letter", "forward-test.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Answers the nth request that has samples by itself. */
function answerNth(answers: Record<number, ScriptedAnswer>): void {
  let nth = 0;
  bed.store.answer = ({ samples }) => (samples.length > 0 ? answers[nth++] : undefined) ?? { status: 204 };
}

/** Refuses every request that has a sample of which `isBad`, as a store that takes nothing of it. */
function refuse(isBad: (value: number) => boolean, status = 400, text = "out of order sample"): void {
  bed.store.answer = ({ samples }) =>
    samples.some((sample) => isOfLog(sample) && isBad(sample.value)) ? { status, text } : { status: 204 };
}

test("everything that is in the log arrives once, each series in its order and through one connection", async () => {
  bed.append(0, linesOf(1_000));
  bed.append(
    0,
    upTo(500).map((at) => lineOf(1_000 + at, { host: `h${at % 10}` })),
  );
  const forwarder = await bed.forwardAll({ connections: 3 });
  assert.deepEqual(sorted(bed.store.values), upTo(1_500));
  const bySeries = Map.groupBy(bed.store.taken.filter(isOfLog), ({ labels }) => labels.host!);
  assert.equal(bySeries.size, 10);
  for (const samples of bySeries.values())
    assert.deepEqual(
      samples.map(({ value }) => value),
      sorted(samples.map(({ value }) => value)),
    );
  const ports = (host: string) =>
    new Set(
      bed.store.requests
        .filter(({ samples }) => samples.some(({ labels }) => labels.host === host))
        .map(({ port }) => port),
    );
  for (const host of bySeries.keys()) assert.equal(ports(host).size, 1);
  assert.deepEqual(cursor(), { "lane-0": { fresh: 1_500, late: [] } });
  assert.equal(forwarder.figures().lagLines, 0);
});

test("a request is what remote write 1.0 says, with the operator's own fields", async () => {
  bed.append(0, [lineOf(1)]);
  await bed.forwardAll({
    headers: { "X-Scope-OrgID": "t" },
    authorization: () => ({ Authorization: "Bearer s" }),
  });
  const { headers } = bed.store.requests.at(-1)!;
  assert.equal(headers["content-encoding"], "snappy");
  assert.equal(headers["content-type"], "application/x-protobuf");
  assert.equal(headers["x-prometheus-remote-write-version"], "0.1.0");
  assert.equal(headers["user-agent"], "tidemark/test");
  assert.equal(headers["x-scope-orgid"], "t");
  assert.equal(headers.authorization, "Bearer s");
});

test("another start goes on where the last one ended", async () => {
  bed.append(0, linesOf(100));
  await bed.forwardAll();
  bed.append(0, [lineOf(100)]);
  bed.append(3, [lineOf(101)]);
  await bed.forwardAll();
  assert.deepEqual(sorted(bed.store.values), upTo(102));
});

test("lanes go by their lines' times, so that a series that is in several keeps its order", async () => {
  const parts = upTo(3_000).map((at) => lineOf(at, { host: `h${at % 5}` }));
  bed.append(
    0,
    parts.filter((_, at) => at % 3 === 0),
  );
  bed.append(
    1,
    parts.filter((_, at) => at % 3 === 1),
  );
  bed.append(
    2,
    parts.filter((_, at) => at % 3 === 2),
  );
  await bed.forwardAll();
  for (const samples of Map.groupBy(bed.store.taken.filter(isOfLog), ({ labels }) => labels.host!).values())
    assert.deepEqual(
      samples.map(({ value }) => value),
      sorted(samples.map(({ value }) => value)),
    );
  assert.equal(bed.store.values.length, 3_000);
});

for (const { what, answer } of [
  { what: "500", answer: { status: 500 } },
  { what: "503 with Retry-After", answer: { status: 503, headers: { "Retry-After": "0" } } },
  { what: "429", answer: { status: 429 } },
  { what: "408", answer: { status: 408 } },
  { what: "a connection that breaks", answer: { status: CUT } },
])
  test(`${what} is tried again, and nothing of its series overtakes it`, async () => {
    bed.append(0, linesOf(400));
    answerNth({ 1: answer, 2: answer });
    const forwarder = await bed.forwardAll({ connections: 1 });
    assert.deepEqual(bed.store.values, upTo(400));
    assert.equal(forwarder.figures().retries, 2);
  });

test("while the store asks to be left alone, no connection asks it anything", async () => {
  bed.append(0, linesOf(400));
  bed.store.answer = ({ samples }) =>
    samples.length === 0 ? { status: 204 } : { status: 429, headers: { "Retry-After": "3600" } };
  const forwarder = bed.start({ connections: 2 });
  while (forwarder.figures().retries < 2) await new Promise(setImmediate);
  const asked = bed.store.requests.length;
  // Another one, that nobody asks to wait, tries again and again meanwhile.
  const impatient = new ForwardBed();
  await impatient.store.open();
  impatient.store.answer = () => ({ status: 503 });
  impatient.append(0, linesOf(10));
  const other = impatient.start({ connections: 1 });
  while (other.figures().retries < 4) await new Promise(setImmediate);
  await impatient.close();
  assert.equal(bed.store.requests.length, asked);
  await forwarder.close();
  assert.deepEqual(cursor(), { "lane-0": { fresh: 0, late: [] } });
});

test("a 413 is halved until it fits, and what comes after it is not tried so large again", async () => {
  bed.append(0, linesOf(400));
  bed.store.answer = ({ samples }) => ({ status: samples.length > 30 ? 413 : 204 });
  await bed.forwardAll({ connections: 1 });
  assert.deepEqual(bed.store.values, upTo(400));
  const refused = bed.store.requests.filter(({ samples }) => samples.length > 30);
  assert.deepEqual(
    refused.map(({ samples }) => samples.length),
    [100, 50],
  );
});

test("of what is refused only the samples that are at fault are set aside, and counted by status", async () => {
  bed.append(0, linesOf(400));
  refuse((value) => value === 7 || value === 8 || value === 399);
  const forwarder = await bed.forwardAll();
  assert.deepEqual(
    sorted(bed.store.values),
    upTo(400).filter((value) => ![7, 8, 399].includes(value)),
  );
  assert.deepEqual(sorted(letters().map(({ line }) => line.value)), [7, 8, 399]);
  const [letter] = letters();
  assert.equal(letter.status, 400);
  assert.equal(letter.answer, "out of order sample");
  assert.deepEqual(
    letter.line,
    JSON.parse(lineOf(letter.line.value, { host: `h${letter.line.value % 10}` })),
  );
  assert.deepEqual(forwarder.figures().deadLetters, { 400: 3 });
  assert.deepEqual(cursor(), { "lane-0": { fresh: 400, late: [] } });
});

test("a sample older than Prometheus' window is refused, though the answer is 500", async () => {
  bed.append(0, linesOf(100));
  refuse((value) => value === 50, 500, "too old sample\n");
  await bed.forwardAll();
  assert.deepEqual(
    letters().map(({ status, line }) => [status, line.value]),
    [[500, 50]],
  );
});

test("a line that is none of the log is set aside without asking the store", async () => {
  bed.append(0, [
    lineOf(0),
    '{"ts":1,"name":"m","value":"text","type":"gauge","tags":{"host":"some host"},"client":"c"}',
    lineOf(1),
  ]);
  await bed.forwardAll();
  assert.deepEqual(bed.store.values, [0, 1]);
  assert.deepEqual(
    letters().map(({ status, line }) => [status, line.value]),
    [[0, "text"]],
  );
  assert.deepEqual(cursor(), { "lane-0": { fresh: 3, late: [] } });
});

for (const status of [301, 401, 403, 404, 405])
  test(`${status} is a wrong setting: it is said, and no line is set aside or passed over`, async () => {
    bed.append(0, linesOf(10));
    bed.store.answer = () => ({ status, text: "no" });
    const forwarder = bed.start();
    while (forwarder.figures().state !== "refused") await new Promise(setImmediate);
    await forwarder.close();
    assert.deepEqual(forwarder.figures().deadLetters, {});
    assert.deepEqual(cursor(), { "lane-0": { fresh: 0, late: [] } });
    const told = bed.said.filter(({ level }) => level === "error");
    assert.equal(told.length, 1);
    assert.match(
      told[0]!.text,
      /the store does not take what is sent to it; .*; nothing is skipped meanwhile/,
    );
  });

test("a 400 for everything is a wrong address and no fault of the lines", async () => {
  bed.append(0, linesOf(10));
  bed.store.answer = () => ({ status: 400, text: "unsupported path requested" });
  const forwarder = bed.start();
  while (forwarder.figures().state !== "refused") await new Promise(setImmediate);
  await forwarder.close();
  assert.deepEqual(forwarder.figures().deadLetters, {});
  assert.deepEqual(cursor(), { "lane-0": { fresh: 0, late: [] } });
});

test("after a 401 the token is taken from its file again", async () => {
  bed.append(0, [lineOf(0)]);
  let token = "old";
  let forgotten = 0;
  bed.store.answer = ({ headers }) => ({ status: headers.authorization === "Bearer new" ? 204 : 401 });
  const forwarder = bed.start({
    authorization: () => ({ Authorization: `Bearer ${token}` }),
    forgetAuthorization() {
      forgotten++;
      token = "new";
    },
  });
  while (forwarder.figures().state !== "refused") await new Promise(setImmediate);
  await forwarder.close();
  assert.equal(forgotten, 1);
  await bed.forwardAll({ authorization: () => ({ Authorization: `Bearer ${token}` }) });
  assert.deepEqual(bed.store.values, [0]);
});

test("a store that was away gets again what it may have had only in memory", async () => {
  bed.append(0, linesOf(200));
  const forwarder = bed.start({ resendMs: 600_000 });
  while (new Set(bed.store.values).size < 200) await new Promise(setImmediate);
  bed.store.taken.length = 0;
  await bed.store.close();
  bed.append(
    0,
    upTo(200).map((at) => lineOf(200 + at, { host: `h${at % 10}` })),
  );
  await bed.store.open();
  while (new Set(bed.store.values).size < 400) await new Promise(setImmediate);
  await forwarder.close();
  assert.deepEqual(sorted([...new Set(bed.store.values)]), upTo(400));
  assert.equal(forwarder.figures().resends, 1);
  // Nothing is known to be on the store's disk yet, so all of it would come again.
  assert.deepEqual(cursor(), { "lane-0": { fresh: 0, late: [] } });
});

test("what was under way when the store went away counts for nothing, for it is sent again", async () => {
  bed.append(0, linesOf(200));
  const forwarder = bed.start({ resendMs: 600_000, connections: 2 });
  while (new Set(bed.store.values).size < 200) await new Promise(setImmediate);
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isNew = ({ value }: { value: number }) => value >= 200;
  const ports: number[] = [];
  bed.store.answer = async ({ samples, port }) => {
    if (samples.some((sample) => isOfLog(sample) && isNew(sample)) && ports.push(port) === 1) await held;
    return { status: 204 };
  };
  bed.append(
    0,
    upTo(200).map((at) => lineOf(200 + at, { host: `h${at % 10}` })),
  );
  while (new Set(ports).size < 2) await new Promise(setImmediate);
  // One connection breaks while the other one waits for its answer.
  bed.store.cut(ports.find((port) => port !== ports[0])!);
  while (forwarder.figures().resends < 1) await new Promise(setImmediate);
  release();
  while (forwarder.figures().lagLines > 0) await new Promise(setImmediate);
  await forwarder.close();
  assert.deepEqual(sorted([...new Set(bed.store.values)]), upTo(400));
  assert.equal(bed.store.values.filter((value) => value < 200).length, 400);
});

test("a store that answers only for what it has gets nothing twice when it was away", async () => {
  bed.append(0, linesOf(200));
  const forwarder = bed.start({ resendMs: 0 });
  while (bed.store.values.length < 200) await new Promise(setImmediate);
  await bed.store.close();
  bed.append(0, [lineOf(200)]);
  await bed.store.open();
  while (bed.store.values.length < 201) await new Promise(setImmediate);
  await forwarder.close();
  assert.deepEqual(sorted(bed.store.values), upTo(201));
});

test("lines under way are bounded while the store takes none, and the rest comes when it does", async () => {
  const long = "x".repeat(1_000);
  for (let segment = 0; segment < 6; segment++)
    bed.append(
      0,
      upTo(2_000).map((at) => lineOf(segment * 2_000 + at, { host: `h${at % 10}`, name: long })),
    );
  let isOpen = false;
  bed.store.answer = ({ samples }) => ({ status: isOpen || samples.length === 0 ? 204 : 503 });
  const forwarder = bed.start();
  while (forwarder.figures().state !== "waiting") await new Promise(setImmediate);
  assert.equal(forwarder.figures().lagLines, 12_000);
  isOpen = true;
  await forwarder.untilEnd();
  await forwarder.close();
  assert.deepEqual(sorted(bed.store.values), upTo(12_000));
});

test("the forwarder tells of itself beside the log", async () => {
  bed.append(0, linesOf(10));
  const forwarder = bed.start();
  while (bed.store.taken.every(isOfLog)) await new Promise(setImmediate);
  await forwarder.close();
  const own = bed.store.taken.filter((sample) => !isOfLog(sample));
  const names = own.map(({ labels }) => labels.__name__);
  assert.ok(
    names.includes("tidemark_forward_lag_lines") && names.includes("tidemark_forward_lag_ms"),
    names.join(),
  );
  assert.equal(own[0]!.labels.forward, "test");
  assert.equal(own[0]!.labels.data, bed.data);
});

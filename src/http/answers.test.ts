import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { Answers } from "./answers.ts";

class SetClock {
  ms = Date.UTC(1994, 10, 6, 8, 49, 37, 900);
  wallMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return 0;
  }
}

interface Answer {
  status: number;
  phrase: string;
  fields: Map<string, string>;
  body: string;
}

function read(bytes: Uint8Array): Answer {
  const text = Buffer.from(bytes).toString("utf8");
  const headEnd = text.indexOf("\r\n\r\n");
  const [line, ...lines] = text.slice(0, headEnd).split("\r\n");
  const fields = new Map(
    lines.map((field): [string, string] => {
      assert.match(field, /^[A-Za-z-]+: [\x20-\x7e]+$/);
      return [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 2)];
    }),
  );
  assert.equal(fields.size, lines.length, "a field is there twice");
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line);
  assert.ok(match !== null, line);
  const body = text.slice(headEnd + 4);
  if (body !== "") assert.equal(fields.get("Content-Length"), String(Buffer.byteLength(body)));
  return { status: Number(match[1]), phrase: match[2], fields, body };
}

describe("the answer for a stored batch", () => {
  test("says how many were stored, when, and nothing of what goes without saying", () => {
    const { status, fields, body } = read(new Answers(new SetClock()).stored(3, true, 0));
    assert.equal(status, 200);
    assert.equal(body, '{"success":true,"metrics_processed":3}');
    assert.deepEqual(Object.fromEntries(fields), {
      Date: "Sun, 06 Nov 1994 08:49:37 GMT",
      "Content-Type": "application/json",
      "Content-Length": String(body.length),
    });
  });

  test("names the ack that was asked for and what becomes of the connection", () => {
    const answers = new Answers(new SetClock());
    assert.equal(read(answers.stored(1, true, 1)).fields.get("Preference-Applied"), "ack=accepted");
    assert.equal(read(answers.stored(1, true, 2)).fields.get("Preference-Applied"), "ack=written");
    assert.equal(read(answers.stored(1, true, 3)).fields.get("Preference-Applied"), "ack=synced");
    assert.equal(read(answers.stored(1, false, 3)).fields.get("Connection"), "close");
    assert.equal(read(answers.stored(1, true, 0, true)).fields.get("Connection"), "keep-alive");
    assert.equal(read(answers.stored(1, false, 0, true)).fields.get("Connection"), "close");
  });

  test("is the same buffer within a second, and a new one after it, the old one unchanged", () => {
    const clock = new SetClock();
    const answers = new Answers(clock);
    const first = answers.stored(1000, true, 0);
    const firstText = Buffer.from(first).toString();
    clock.ms += 99;
    assert.equal(answers.stored(1000, true, 0), first);
    assert.notEqual(answers.stored(999, true, 0), first);
    clock.ms += 1;
    const second = answers.stored(1000, true, 0);
    assert.notEqual(second, first);
    assert.equal(read(second).fields.get("Date"), "Sun, 06 Nov 1994 08:49:38 GMT");
    assert.equal(Buffer.from(first).toString(), firstText);
    clock.ms -= 60_000;
    assert.equal(read(answers.stored(1000, true, 0)).fields.get("Date"), "Sun, 06 Nov 1994 08:48:38 GMT");
  });

  test("is right for counts that are not kept", () => {
    assert.match(read(new Answers(new SetClock()).stored(123_456, true, 0)).body, /:123456}$/);
  });
});

describe("a refusal", () => {
  const answers = new Answers(new SetClock());

  test("has its status, a phrase, a date and its text as JSON, for every entry of the catalogue", () => {
    for (const [refusal, { status, text }] of REFUSALS.entries()) {
      const answer = read(answers.refusal(refusal, { keepAlive: true }));
      assert.equal(answer.status, status);
      assert.notEqual(answer.phrase, "");
      assert.equal(answer.fields.get("Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
      assert.deepEqual(JSON.parse(answer.body), { error: text });
      assert.equal(answer.fields.get("WWW-Authenticate"), status === 401 ? "Bearer" : undefined);
    }
  });

  test("adds what it is given", () => {
    const { fields, body } = read(
      answers.refusal(REFUSAL.method, {
        detail: "DELETE",
        retryAfterS: 1.2,
        allow: "GET, POST",
        keepAlive: false,
      }),
    );
    assert.equal(fields.get("Retry-After"), "2");
    assert.equal(fields.get("Allow"), "GET, POST");
    assert.equal(fields.get("Connection"), "close");
    assert.equal(JSON.parse(body).error, `${REFUSALS[REFUSAL.method].text}: DELETE`);
    assert.equal(
      read(answers.refusal(REFUSAL.queue, { retryAfterS: 0, keepAlive: true })).fields.has("Retry-After"),
      false,
    );
  });

  test("carries any detail as JSON text and never as bytes of the head", () => {
    const detail = 'a"b\\c\r\nX: y\u0000\u0007\ud800é€😀';
    const { body, fields } = read(answers.refusal(REFUSAL.batch, { detail, keepAlive: true }));
    assert.equal(fields.size, 3);
    assert.equal(JSON.parse(body).error, `${REFUSALS[REFUSAL.batch].text}: ${detail}`);
    for (const character of body) assert.ok(character >= " ", "a control character is in the body");
  });

  test("to HEAD has the length of a body that does not follow", () => {
    const options = { keepAlive: true, detail: "é" };
    const whole = read(answers.refusal(REFUSAL.not_found, options));
    const head = read(answers.refusal(REFUSAL.not_found, { ...options, isHead: true }));
    assert.equal(head.body, "");
    assert.deepEqual(head.fields, whole.fields);
  });
});

describe("any other answer", () => {
  const answers = new Answers(new SetClock());

  test("has its type and the length of its body in bytes", () => {
    const { status, fields, body } = read(
      answers.plain(200, "text/plain; charset=utf-8", "é\n", { keepAlive: true }),
    );
    assert.equal(status, 200);
    assert.equal(body, "é\n");
    assert.equal(fields.get("Content-Length"), "3");
    assert.equal(fields.get("Content-Type"), "text/plain; charset=utf-8");
  });

  test("has a length even without a body, save for 204, which must not", () => {
    assert.equal(
      read(answers.plain(200, "text/plain", "", { keepAlive: true })).fields.get("Content-Length"),
      "0",
    );
    assert.equal(
      read(answers.plain(204, "text/plain", "", { keepAlive: true, allow: "GET" })).fields.has(
        "Content-Length",
      ),
      false,
    );
  });

  test("100 Continue is its line alone", () => {
    assert.equal(Buffer.from(answers.continue100).toString(), "HTTP/1.1 100 Continue\r\n\r\n");
  });
});

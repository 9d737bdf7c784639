// Messages in the stream that are no block a drain can store: kept whole, told of, and in nobody's way.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeBlock } from "../../src/replica/block-message.ts";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

const SUBJECT = "lines.0.web1.0";
const LINE = Buffer.from('{"ts":1,"name":"dead","value":1,"type":"gauge","tags":{},"client":"web"}\n');
const good = encodeBlock({ origin: "00000000000000bb", lane: 0, from: 0, first: 0, end: 1, bytes: LINE });

describe("a message that is no block", { skip: natsServerMissing, timeout: 60_000 }, () => {
  let bed: DrainBed;
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), 1);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("is kept as it came, with why, and the rest goes on", async () => {
    const noLine = Buffer.from("no line of a log\n");
    const foreign = encodeBlock({
      origin: "00000000000000bb",
      lane: 0,
      from: 0,
      first: 0,
      end: 1,
      bytes: noLine,
    });
    const sent = [
      { header: null, payload: Buffer.from("hello"), why: /has no Tidemark-Block header/ },
      { header: good.header.replace(/^1/, "2"), payload: good.payload, why: /is of version 2/ },
      { header: good.header, payload: good.payload.subarray(0, 20), why: /does not decompress/ },
      { header: good.header.replace(/.$/, "!"), payload: good.payload, why: /has no Tidemark-Block header/ },
      { header: foreign.header, payload: foreign.payload, why: /holds a line that is none of a log/ },
    ];
    const drain = await bed.drain();
    await bed.publish(0, 0, 10);
    const sequences: number[] = [];
    for (const { header, payload } of sent) sequences.push(await bed.send(SUBJECT, header, payload));
    await bed.publish(0, 10, 20);
    await bed.emptied();
    bed.assertOnce();
    const folder = join(drain.data, "dead-letter");
    assert.deepEqual(readdirSync(folder).sort(), sequences.map((sequence) => `${sequence}.block`).sort());
    for (const [at, { header, payload, why }] of sent.entries()) {
      const path = join(folder, `${sequences[at]}.block`);
      const letter = readFileSync(path);
      const end = letter.indexOf("\n\n");
      const head = letter.subarray(0, end).toString();
      assert.match(head, /^tidemark dead letter 1\nstream: lines\n/);
      assert.match(head, new RegExp(`\nsequence: ${sequences[at]}\nsubject: ${SUBJECT}\n`));
      assert.match(head, why);
      assert.match(head, new RegExp(`\nbytes: ${payload.length}$`));
      if (header !== null) assert.ok(head.includes(`\nheader: Tidemark-Block: ${header}\n`), head);
      assert.deepEqual(letter.subarray(end + 2), Buffer.from(payload));
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.match(drain.error, why);
    }
    assert.match(drain.error, /is of version 2.*try a newer tidemark/);
    await drain.stop();
    assert.match(drain.error, /"dead_letters":5/);
  });
});

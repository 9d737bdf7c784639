import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TidemarkError } from "../../errors.ts";
import { AGENT_MESSAGE_BYTES_MAX } from "../../limits.ts";
import { AGENTS_VERSION, describeVersion, encodeParts, newSender, PartAssembler } from "./message-parts.ts";

const ANN = newSender("0000000a-0000-0000-0000-000000000000", "ann");
const BOB = newSender("0000000b-0000-0000-0000-000000000000", "bob");
const SMALL = 400;

function receiveAll(assembler: PartAssembler, parts: readonly Uint8Array[]) {
  return parts.map((part) => assembler.receive(part)).filter(({ kind }) => kind !== "more");
}

describe("a message in parts", () => {
  test("is whole again with its last part, whatever it holds", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (json, sequence) => {
        const value: unknown = JSON.parse(JSON.stringify(json));
        const parts = encodeParts(ANN, sequence, value, SMALL);
        assert.ok(parts.every((part) => part.length <= SMALL));
        assert.deepEqual(receiveAll(new PartAssembler(), parts), [{ kind: "whole", sender: ANN, value }]);
      }),
    );
  });

  test("is told from another sender's that comes between its parts", () => {
    const [a, b] = [{ text: "a".repeat(1000) }, { text: "b".repeat(1000) }];
    const [ofAnn, ofBob] = [encodeParts(ANN, 1, a, SMALL), encodeParts(BOB, 1, b, SMALL)];
    const mixed = ofAnn.flatMap((part, index) => [part, ofBob[index]!]);
    assert.deepEqual(receiveAll(new PartAssembler(), mixed), [
      { kind: "whole", sender: ANN, value: a },
      { kind: "whole", sender: BOB, value: b },
    ]);
  });

  test("is given up where a part is missing, and the next one is read", () => {
    const parts = encodeParts(ANN, 1, { text: "a".repeat(1000) }, SMALL);
    const assembler = new PartAssembler();
    const seen = receiveAll(assembler, parts.toSpliced(1, 1));
    assert.ok(seen.length > 0 && seen.every(({ kind }) => kind === "broken"));
    const [next] = receiveAll(assembler, encodeParts(ANN, 2, "next", SMALL));
    assert.deepEqual(next, { kind: "whole", sender: ANN, value: "next" });
  });

  test("says its version, and one of another is told by name and number", () => {
    const [part] = encodeParts(ANN, 1, {}, SMALL);
    const text = Buffer.from(part!).toString("latin1");
    assert.match(text, new RegExp(`^tidemark-agents/${AGENTS_VERSION} `));
    const newer = Buffer.from(text.replace(/\/\d+/, "/99"), "latin1");
    assert.deepEqual(new PartAssembler().receive(newer), { kind: "version", sender: ANN, version: 99 });
    assert.equal(
      describeVersion(ANN, 99),
      `ann speaks version 99 of the agents' messages and this tidemark version ${AGENTS_VERSION}; run the same tidemark on all machines`,
    );
  });

  test("of somebody else's making is left alone, or is broken, and never throws", () => {
    const assembler = new PartAssembler();
    for (const text of ["", "hello\n", "tidemark-agents/1 a b\n{}", "x".repeat(10_000)])
      assert.deepEqual(assembler.receive(Buffer.from(text)), { kind: "foreign" });
    const head = `tidemark-agents/${AGENTS_VERSION} ${ANN.id} ann`;
    for (const text of [
      `${head} 1 0 1\n{`,
      `${head} 1 3 4\n{}`,
      `${head} 1 0 0\n{}`,
      `${head} 1 0 999999\n{}`,
    ])
      assert.equal(assembler.receive(Buffer.from(text)).kind, "broken", text);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assembler.receive(bytes);
      }),
    );
  });

  test("larger than the bound is refused before it is sent", () => {
    assert.throws(() => encodeParts(ANN, 1, "x".repeat(AGENT_MESSAGE_BYTES_MAX)), TidemarkError);
  });

  test("comes from a sender whose name can stand in its first line", () => {
    assert.deepEqual(newSender("ab-cd", "a b/ç"), { id: "abcd", name: "a-b--" });
    assert.equal(newSender("ab", "").name, "unnamed");
    assert.equal(newSender("ab", "x".repeat(200)).name.length, 64);
  });
});

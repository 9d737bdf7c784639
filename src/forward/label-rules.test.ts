// The names that metrics, tags and clients get in the store.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { labelName, labelsOf, metricName } from "./label-rules.ts";

test("a metric's name keeps its letters, digits, underscores and colons, and nothing else", () => {
  for (const [name, wanted] of [
    ["cpu_usage", "cpu_usage"],
    ["cpu.usage-5m", "cpu_usage_5m"],
    ["job:rate:sum", "job:rate:sum"],
    ["5xx", "_5xx"],
    ["größe", "gr__e"],
    ["😀", "_"],
  ] as const)
    assert.equal(metricName(name), wanted);
});

test("a tag's name is made a label's, away from the store's own names and from the client's", () => {
  for (const [tag, wanted] of [
    ["host", "host"],
    ["disk-id", "disk_id"],
    ["a:b", "a_b"],
    ["1st", "_1st"],
    ["", "_"],
    ["__name__", "exported___name__"],
    ["-.x", "exported___x"],
    ["client", "exported_client"],
    ["_x", "_x"],
  ] as const)
    assert.equal(labelName(tag), wanted);
});

test("labels are sorted, the client is one of them, and an empty value is none", () => {
  assert.deepEqual(labelsOf("m", { z: "1", a: "2", empty: "" }, "web"), [
    { name: "__name__", value: "m" },
    { name: "a", value: "2" },
    { name: "client", value: "web" },
    { name: "z", value: "1" },
  ]);
});

test("tags that come to one label share it, in the same order however they were sent", () => {
  const shared = [
    { name: "__name__", value: "m" },
    { name: "a_b", value: "1;2" },
  ];
  assert.deepEqual(labelsOf("m", { "a.b": "2", "a-b": "1" }, ""), shared);
  assert.deepEqual(labelsOf("m", { "a-b": "1", "a.b": "2" }, ""), shared);
});

test("whatever the tags are, each label is there once, in order, under a name that the store takes", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.dictionary(fc.string(), fc.string()), (name, tags) => {
      const names = labelsOf(name, tags, "web").map((label) => label.name);
      assert.deepEqual(names, [...new Set(names)].sort());
      assert.equal(names.filter((label) => label.startsWith("__")).join(), "__name__");
      for (const label of names) assert.match(label, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
    }),
  );
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { element, markup, NOTHING } from "./markup.ts";

describe("markup", () => {
  test("values are escaped, markup is not, lists are joined, and nothing is nothing", () => {
    const inner = markup`<b>${'<i class="x">&'}</b>`;
    assert.equal(inner.text, "<b>&#60;i class=&#34;x&#34;&#62;&#38;</b>");
    assert.equal(
      markup`<p>${inner}${[1, " and ", [NOTHING, null, false, undefined]]}</p>`.text,
      `<p>${inner.text}1 and </p>`,
    );
  });

  test("attributes are escaped, and those without a value are left out", () => {
    assert.equal(
      element("text", { x: 1.26, y: null, class: '"><script>' }, "a<b").text,
      '<text x="1.3" class="&#34;&#62;&#60;script&#62;">a&#60;b</text>',
    );
  });

  test("no text opens or closes an element, or leaves its attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, other) => {
        const { text: made } = markup`<p title="${other}">${text}</p>`;
        assert.match(made, /^<p title="[^"<>]*">[^"<>']*<\/p>$/);
      }),
    );
  });
});

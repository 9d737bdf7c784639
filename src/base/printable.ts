// Text that goes to a terminal or a log viewer with nothing in it that steers one: no escape sequence (C0, C1), no line
// end that is not ours, nothing that reorders what a person reads (bidirectional controls). Cold.

/** All control characters, line and paragraph separators, and what has no width or changes direction. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** Each such character as \uXXXX, which inside a JSON string means the same. `keep` are left as they are. */
export function printable(text: string, keep = ""): string {
  return text.replace(UNPRINTABLE, (character) =>
    keep.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

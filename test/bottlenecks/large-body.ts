// A batch of one metric in 4 MB: JSON may have white space between its words. Large to receive and to keep, and next
// to nothing to store, so that no disk is in the way of seeing what memory does.

const BYTES = 4_000_000;

export function largeBody(): string {
  return `{"metrics":[${" ".repeat(BYTES)}{"name":"padded","value":1}]}`;
}

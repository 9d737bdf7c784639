// Our own bugs stop us: an assert that fails is never caught and answered, it ends the thread, which is replaced.

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}

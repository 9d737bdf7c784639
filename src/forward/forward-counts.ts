// What a forwarder counts of itself, from its start on.

import type { DeadLetter } from "./dead-letters.ts";

export class ForwardCounts {
  /** That the store has taken, the reports among them; one that was sent again counts again. */
  samples = 0;
  requests = 0;
  retries = 0;
  /** Of bodies, compressed, with what was sent again. */
  sentBytes = 0;
  /** Lines set aside, by the store's status; 0 for what is no line of the log. */
  readonly deadLetters = new Map<number, number>();
  /** Files of dead letters that were deleted to make room. */
  droppedLetterFiles = 0;
  /** Times that lines were sent again because the store had been away. */
  resends = 0;

  taken(samples: number, letters: readonly DeadLetter[]): void {
    this.samples += samples;
    for (const { status } of letters) this.deadLetters.set(status, (this.deadLetters.get(status) ?? 0) + 1);
  }
}

// For tests: time that moves from event to event, for a model file system and the log on it. Everything that is to happen
// later stands in one queue, so that a run is determined by what put it there, and an hour takes no longer than a moment.

import type { Clock } from "../base/clock.ts";
import type { Timers } from "./lane-options.ts";

/** What a turn of the event loop takes. */
const TURN_MS = 0.01;

interface ModelEvent {
  readonly atMs: number;
  readonly run: () => void;
}

export class ModelTime implements Clock, Timers {
  private nowMs = 1000;
  /** The soonest last. */
  private readonly events: ModelEvent[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + Math.floor(this.nowMs);
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  /** As setImmediate. */
  readonly schedule = (run: () => void): void => {
    this.start(run, TURN_MS);
  };

  start(run: () => void, ms: number): object {
    const event = { atMs: this.nowMs + ms, run };
    let at = this.events.length;
    while (at > 0 && this.events[at - 1]!.atMs <= event.atMs) at--;
    this.events.splice(at, 0, event);
    return event;
  }

  cancel(timer: object): void {
    const at = this.events.indexOf(timer as ModelEvent);
    if (at >= 0) this.events.splice(at, 1);
  }

  /** Lets so much time pass, and in it happen what is due. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.events.length > 0 && this.events.at(-1)!.atMs <= endMs) this.step();
    this.nowMs = endMs;
  }

  /** Until `done`, or nothing is left to happen; false then, or where it takes more than `eventsMax`. */
  passUntil(done: () => boolean, eventsMax: number): boolean {
    for (let count = 0; count < eventsMax && !done(); count++) {
      if (this.events.length === 0) return false;
      this.step();
    }
    return done();
  }

  /** All that was to happen will not: the process is gone. */
  forget(): void {
    this.events.length = 0;
  }

  private step(): void {
    const event = this.events.pop()!;
    this.nowMs = Math.max(this.nowMs, event.atMs);
    event.run();
  }
}

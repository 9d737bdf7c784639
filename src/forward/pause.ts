// A wait that somebody can cut short. One waits at a time; a wake-up while nobody waits is nothing, so whoever waits looks
// again at what it waits for, before and after.

export class Pause {
  private end: () => void = () => {};

  /** Resolves after so many milliseconds, or with the next wake(); null is without end. */
  wait(msMax: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = msMax === null ? null : setTimeout(resolve, Math.max(1, msMax));
      this.end = () => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.end();
  }
}

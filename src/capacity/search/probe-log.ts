// What a search for the capacity has asked and what it now believes: the highest rate that is met and the lowest that is
// missed. Pure. Answers may contradict each other, for probes are noisy; the newer one wins, so that always every rate
// believed to be met is below every rate believed to be missed.

export interface ProbeRecord {
  /** Requests a second that were asked for. */
  readonly asked: number;
  readonly part: "search" | "repeat";
  readonly met: boolean;
  readonly isVoid: boolean;
  /** Successes a second that were achieved. */
  readonly rate: number;
}

export interface MissedRate {
  readonly rate: number;
  /** The generator was the limit there. */
  readonly isVoid: boolean;
  readonly achieved: number;
}

export class ProbeLog {
  readonly records: ProbeRecord[] = [];
  private met: number[] = [];
  private missed: MissedRate[] = [];

  add(record: ProbeRecord): void {
    this.records.push(record);
  }

  attemptsAt(rate: number): number {
    return this.records.filter((record) => record.asked === rate).length;
  }

  /** Highest rate believed to be met; null where none is. */
  get low(): number | null {
    return this.met.length === 0 ? null : Math.max(...this.met);
  }

  /** Lowest rate believed to be missed; null where none is. */
  get high(): MissedRate | null {
    return this.missed.reduce<MissedRate | null>(
      (least, missed) => (least === null || missed.rate < least.rate ? missed : least),
      null,
    );
  }

  nextMetBelow(rate: number): number | null {
    const below = this.met.filter((met) => met < rate);
    return below.length === 0 ? null : Math.max(...below);
  }

  noteMet(rate: number): void {
    this.missed = this.missed.filter((missed) => missed.rate > rate);
    this.met.push(rate);
  }

  noteMissed(rate: number, outcome: { readonly isVoid: boolean; readonly rate: number }): void {
    this.met = this.met.filter((met) => met < rate);
    this.missed.push({ rate, isVoid: outcome.isVoid, achieved: outcome.rate });
  }
}

// One agent's part of one run, as the coordinator follows it: prepared, started, counted. It never throws: what goes wrong is
// the share's outcome, and the other shares go on. Main thread.

import type { LoadPlan } from "../load/load-plan.ts";
import type { LoadShare } from "../load/load-share.ts";
import type { AgentLink } from "./agent-link.ts";
import type { ClockOffset } from "./clock-offset.ts";
import type { ShareOutcome } from "./merge-shares.ts";

export class ShareRun {
  readonly link: AgentLink;
  readonly share: LoadShare;
  private readonly number: number;
  private readonly plan: LoadPlan;
  private clock: ClockOffset | null = null;
  private fault: string | null = null;

  constructor(link: AgentLink, number: number, plan: LoadPlan, share: LoadShare) {
    this.link = link;
    this.number = number;
    this.plan = plan;
    this.share = share;
  }

  get clockErrorMs(): number {
    return this.clock?.errorMs ?? 0;
  }

  async prepare(msMax: number): Promise<void> {
    try {
      await this.link.prepare(this.number, this.plan, this.share, msMax);
      this.clock = await this.link.readClock();
    } catch (error) {
      this.fault = (error as Error).message;
    }
  }

  /** `startMs`: of the coordinator's clock. */
  async run(startMs: number, msMax: number): Promise<ShareOutcome> {
    if (this.fault === null && this.clock === null)
      this.fault = this.link.lost ?? "its clock could not be read";
    if (this.fault !== null) return this.outcome(null);
    this.link.start(startMs + this.clock!.offsetMs);
    try {
      return this.outcome(await this.link.counts(msMax));
    } catch (error) {
      this.fault = (error as Error).message;
      return this.outcome(null);
    }
  }

  stop(): void {
    this.link.stop();
  }

  private outcome(tallies: ShareOutcome["tallies"]): ShareOutcome {
    const { link, share, fault, clockErrorMs } = this;
    return { name: link.facts.name, host: link.facts.host, share, tallies, fault, clockErrorMs };
  }
}

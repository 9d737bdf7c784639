// The measured latency budget: where a request's time goes, stage by stage, in the level of the origin's sweet spot.
// The server's stages come from its own clock (GET /stats), the rest of the client's time is the network's and the
// kernel's queues. Pure.

import { summarise } from "../evidence/level-evidence.ts";
import type { Level } from "../level.ts";
import type { BudgetRowJson } from "../report/report-json.ts";
import { originBudgetMs } from "../search/origin-report.ts";

/** The level whose budget the origin estimated; the nearest one below is taken where it was not run. */
const BUDGET_CLIENTS = 200;

/** The server's name of a stage, ours, and the origin's where it estimated one that means the same. */
const STAGES: readonly (readonly [stage: string, title: string, origin: string | null])[] = [
  ["read", "read and frame", "accept and read"],
  ["admission", "admission", "rate limiting"],
  ["decode", "decode and check", "JSON parsing"],
  ["queue", "wait for the commit before", "queue write"],
  ["commit", "group commit", null],
  ["answer", "answer", "HTTP response"],
];

/** Empty where the target tells nothing of its stages. */
export function measureBudget(levels: readonly Level[]): BudgetRowJson[] {
  const paced = levels.filter(({ kind, clients }) => kind === "paced" && clients <= BUDGET_CLIENTS);
  const level = paced.reduce<Level | null>(
    (best, other) => (best === null || other.clients > best.clients ? other : best),
    null,
  );
  const stats = level === null ? null : summarise(level).stats;
  if (level === null || stats === null) return [];
  const rows: BudgetRowJson[] = [];
  let inServer = 0;
  for (const [stage, title, origin] of STAGES) {
    const ms = stats.stagesMs[stage] ?? null;
    if (ms === null) continue;
    inServer += ms;
    rows.push({ stage: title, ms, origin_ms: origin === null ? null : originBudgetMs(origin) });
  }
  if (rows.length === 0) return [];
  const client = level.load.latencyUncorrected.mean() / 1e6;
  if (Number.isFinite(client)) {
    const ms = Math.max(0, client - inServer);
    rows.unshift({ stage: "network, kernel and client", ms, origin_ms: originBudgetMs("network") });
  }
  return rows;
}

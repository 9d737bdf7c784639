// Evidence over time, one level at a time. The choice is a group of radio buttons and rules of style, so that it works by
// keyboard (arrows) and without a script; at first the level that tells the most is shown.

import { plainLine, rateText, shareText } from "../figures.ts";
import { groupLevels, levelTitle, outcomeText } from "../level-table.ts";
import { type Markup, markup, NOTHING } from "../markup.ts";
import type { LevelJson, ReportJson } from "../report-json.ts";
import { evidenceChart, hasEvidence } from "./evidence-chart.ts";
import { icon } from "./icons.ts";

export function evidenceSection(report: ReportJson): Markup {
  const levels = shownLevels(report);
  if (levels.length === 0) return NOTHING;
  const first = firstShown(report, levels);
  const numberOf = (level: LevelJson) => levels.indexOf(level);
  return markup`<div class="evidence">
<div class="levels" role="radiogroup" aria-label="Level">${groupLevels(levels).map(
    (group) =>
      markup`<fieldset><legend>${group.title}</legend><div class="chips">${group.levels.map((level) => {
        const id = `level-${numberOf(level)}`;
        return markup`<span class="chip ${level.objective_met && level.void === null ? "met" : "missed"}"><input type="radio" name="level" id="${id}"${level === first && markup` checked`}><label for="${id}">${chipText(level)}${icon(level.objective_met && level.void === null ? "holds" : "fails")}<span class="hidden"> ${outcomeText(level)}</span></label></span>`;
      })}</div></fieldset>`,
  )}</div>
${levels.map(
  (level) =>
    markup`<div class="timeline${level === first && markup` first`}" id="timeline-${numberOf(level)}"><h3>${levelTitle(level)}</h3><p class="quiet">${rateText(level.rate)} req/s, success ${shareText(level.success)}, objective ${outcomeText(level)}${level.saturation !== null && `; ${plainLine(level.saturation.resource)} at its limit from ${Number((level.saturation.at_ms / 1000).toFixed(2))} s on`}</p>${evidenceChart(level)}</div>`,
)}
</div>`;
}

/** Which timeline a chosen button shows: as many rules as there are levels with evidence. */
export function evidenceRules(report: ReportJson): string {
  const rules = shownLevels(report).map(
    (_, index) => `.evidence:has(#level-${index}:checked) #timeline-${index}{display:block}`,
  );
  return rules.length === 0 ? "" : `\n${rules.join("\n")}\n`;
}

function shownLevels(report: ReportJson): LevelJson[] {
  return report.levels.filter(hasEvidence);
}

/** Where it broke, else where something came to its limit, else the highest that held. */
function firstShown(report: ReportJson, levels: readonly LevelJson[]): LevelJson {
  const breaking = report.capacity.breaking_point?.level;
  return (
    levels.find((level) => level.id === breaking) ??
    levels.find((level) => level.saturation !== null) ??
    levels.findLast((level) => level.objective_met) ??
    levels[0]!
  );
}

function chipText(level: LevelJson): string {
  return level.kind === "open" ? `${rateText(level.planned_rate)}/s` : rateText(level.clients);
}

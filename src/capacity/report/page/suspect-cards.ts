// The suspects in the order of the diagnosis, each a card: verdict by colour, sign and word; what speaks for it and
// against it; the command that checks it; the fix and its gain. Those that something speaks for are open, the others fold.

import { gainText, isKnown, plainLine, plainText } from "../figures.ts";
import { isLikely, VERDICT_WORDS } from "../headline.ts";
import { type Markup, markup } from "../markup.ts";
import type { SuspectJson } from "../report-json.ts";
import { icon } from "./icons.ts";

export function suspectCards(suspects: readonly SuspectJson[]): Markup {
  return markup`<div class="suspects">${suspects.map(card)}</div>`;
}

function card(suspect: SuspectJson, index: number): Markup {
  const isOpen = isLikely(suspect);
  const head = markup`<span class="rank">${index + 1}</span><h3>${plainLine(suspect.title)}</h3><span class="verdict ${suspect.verdict}">${icon(suspect.verdict)}${VERDICT_WORDS[suspect.verdict]}</span>`;
  const attributes = markup`class="suspect ${suspect.verdict}" id="suspect-${suspect.id}" data-suspect="${suspect.id}"`;
  if (isOpen) return markup`<article ${attributes}><header>${head}</header>${body(suspect)}</article>`;
  return markup`<article ${attributes}><details><summary>${head}<span class="why">${whyNot(suspect)}</span></summary>${body(suspect)}</details></article>`;
}

function whyNot(suspect: SuspectJson): string {
  return plainLine(suspect.against[0] ?? suspect.for[0] ?? "the source that would tell is missing here");
}

function body(suspect: SuspectJson): Markup {
  return markup`<div class="figures">${figures("For", suspect.for)}${figures("Against", suspect.against)}</div>
<dl><dt>Check</dt><dd><div class="command"><code>${plainText(suspect.check)}</code></div></dd>
<dt>Fix</dt><dd>${plainLine(suspect.fix)}</dd>
<dt>Gain</dt><dd>${gains(suspect)}</dd></dl>`;
}

function figures(title: string, sentences: readonly string[]): Markup {
  return markup`<div class="${title.toLowerCase()}"><h4>${title}</h4>${
    sentences.length === 0
      ? markup`<p class="quiet">nothing seen</p>`
      : markup`<ul>${sentences.map((sentence) => markup`<li>${plainLine(sentence)}</li>`)}</ul>`
  }</div>`;
}

function gains({ gain }: SuspectJson): Markup {
  const predicted = isKnown(gain.predicted) ? gainText(gain.predicted) : "cannot be said";
  const measured = isKnown(gain.measured) ? gainText(gain.measured) : "not tried";
  return markup`<span class="pair">predicted <b>${predicted}</b></span><span class="pair">measured <b>${measured}</b></span>`;
}

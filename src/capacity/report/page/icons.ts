// The few signs of the page, drawn: a font may lack them, and colour alone must never carry a verdict.

import type { Verdict } from "../../diagnosis/suspect.ts";
import { Markup } from "../markup.ts";

const SHAPES = {
  confirmed: '<circle cx="8" cy="8" r="7"/><path class="cut" d="M4.5 8.3l2.4 2.5 4.6-5.2"/>',
  possible: '<circle class="ring" cx="8" cy="8" r="6.2"/><path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z"/>',
  "ruled-out": '<circle class="ring" cx="8" cy="8" r="6.2"/><path class="stroke" d="M3.8 12.2l8.4-8.4"/>',
  unknown:
    '<circle class="ring dashed" cx="8" cy="8" r="6.2"/><path class="stroke" d="M6 6.3a2 2 0 1 1 2.7 1.9q-.7.3-.7 1.2"/><circle cx="8" cy="11.5" r=".9"/>',
  holds: '<path class="stroke" d="M3 8.5l3.4 3.5L13 4.5"/>',
  fails: '<path class="stroke" d="M4 4l8 8M12 4l-8 8"/>',
  warning: '<path d="M8 1.2l7.2 13.2H.8z"/><path class="cut" d="M8 6v4.2M8 11.8v1"/>',
} as const satisfies Record<Verdict | "holds" | "fails" | "warning", string>;

export function icon(name: keyof typeof SHAPES): Markup {
  return new Markup(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`);
}

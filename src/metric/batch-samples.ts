// Batches for this folder's tests, fuzzer and benchmark: random ones from a seed, written in every way that JSON allows,
// and what their lines must say. Not part of the server.

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface SampleMetric {
  name: string;
  /** The number as it is written in the body. */
  value: string;
  type?: string;
  tags?: [string, string][];
  timestamp?: number;
}

export const TYPES = ["counter", "gauge", "histogram", "summary"];

/** How a body is written: how often, of 1, white space, escapes and a shuffled key order are used. */
export interface Spelling {
  white: number;
  escapes: number;
  shuffle: number;
}

export const TIGHT: Spelling = { white: 0, escapes: 0, shuffle: 0 };

export function bodyOf(metrics: SampleMetric[], spelling: Spelling, random: Random): string {
  const white = () => (random() < spelling.white ? " \n\r\t".slice(Math.floor(random() * 4)) : "");
  const text = (value: string) => spelled(value, spelling.escapes, random);
  const items = metrics.map((metric) => {
    const fields = [`${text("name")}${white()}:${white()}${text(metric.name)}`];
    fields.push(`${text("value")}${white()}:${white()}${metric.value}`);
    if (metric.type !== undefined) fields.push(`${text("type")}${white()}:${white()}${text(metric.type)}`);
    if (metric.tags !== undefined) {
      const tags = metric.tags.map(
        ([key, value]) => `${white()}${text(key)}${white()}:${white()}${text(value)}${white()}`,
      );
      fields.push(`${text("tags")}${white()}:${white()}{${tags.length === 0 ? white() : tags.join(",")}}`);
    }
    if (metric.timestamp !== undefined) fields.push(`${text("timestamp")}:${white()}${metric.timestamp}`);
    if (random() < spelling.shuffle) shuffle(fields, random);
    return `${white()}{${white()}${fields.join(`${white()},${white()}`)}${white()}}${white()}`;
  });
  return `${white()}{${white()}${text("metrics")}${white()}:${white()}[${items.join(",")}]${white()}}${white()}`;
}

/** What JSON.parse must find in a metric's line. */
export function parsedLineOf(metric: SampleMetric, receivedAtMs: number, client: string): unknown {
  return {
    ts: metric.timestamp ?? receivedAtMs,
    name: metric.name,
    value: JSON.parse(metric.value),
    type: metric.type ?? "gauge",
    tags: Object.fromEntries(metric.tags ?? []),
    client,
  };
}

/** A random batch of up to `countMax` metrics, with now and then something odd in it. */
export function randomMetrics(random: Random, countMax: number): SampleMetric[] {
  const metrics: SampleMetric[] = [];
  const count = 1 + Math.floor(random() * countMax);
  for (let index = 0; index < count; index++) {
    const metric: SampleMetric = {
      name: randomText(random, 1 + Math.floor(random() ** 3 * 60)),
      value: randomNumber(random),
    };
    if (random() < 0.7) metric.type = TYPES[Math.floor(random() * 4)]!;
    const before = metrics.at(-1)?.tags;
    if (before !== undefined && random() < 0.5) metric.tags = alikeTags(before, random);
    else if (random() < 0.7) {
      const tags = new Map<string, string>();
      for (let tag = Math.floor(random() ** 3 * 33); tag > 0; tag--)
        tags.set(
          randomText(random, Math.floor(random() * 8)),
          randomText(random, Math.floor(random() ** 2 * 20)),
        );
      metric.tags = [...tags];
    }
    if (random() < 0.7)
      metric.timestamp = random() < 0.5 ? 1763890000000 + index : Math.floor(random() ** 4 * 8.64e15);
    metrics.push(metric);
  }
  return metrics;
}

/** The same tags, or nearly: the last one's value longer, or the last one left out. */
function alikeTags(tags: [string, string][], random: Random): [string, string][] {
  const last = tags.at(-1);
  if (last === undefined || random() < 0.7) return tags;
  const others = tags.slice(0, -1);
  return random() < 0.5 ? others : [...others, [last[0], random() < 0.5 ? `${last[1]}"` : `x${last[1]}`]];
}

function randomText(random: Random, length: number): string {
  const odd = random() < 0.2;
  let text = "";
  for (let index = 0; index < length; index++) {
    const pick = random();
    if (!odd || pick < 0.5) text += String.fromCharCode(0x61 + Math.floor(random() * 26));
    else if (pick < 0.7) text += String.fromCharCode(Math.floor(random() * 128));
    else if (pick < 0.9) text += String.fromCharCode(0x80 + Math.floor(random() * 0xd700));
    else text += String.fromCodePoint(0xe000 + Math.floor(random() * (0x110000 - 0xe000)));
  }
  return text;
}

function randomNumber(random: Random): string {
  const pick = random();
  if (pick < 0.5) return String(Math.floor(random() * 1e6) / 100);
  if (pick < 0.6)
    return `${random() < 0.5 ? "-" : ""}${Math.floor(random() * 10)}.0${Math.floor(random() * 10)}`;
  if (pick < 0.8) return String((random() - 0.5) * 10 ** Math.floor(random() * 600 - 300));
  if (pick < 0.9)
    return `${Math.floor(random() * 10)}${random() < 0.5 ? "e" : "E"}${random() < 0.5 ? "+" : "-"}0${Math.floor(random() * 200)}`;
  return `${random() < 0.5 ? "-" : ""}${"1234567890".repeat(1 + Math.floor(random() * 30))}`;
}

function spelled(text: string, escapes: number, random: Random): string {
  let spelling = '"';
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const pair = unit >= 0xd800 && unit <= 0xdfff;
    if (random() < escapes) {
      const hex = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
      spelling +=
        text[index] === "/" ? "\\/" : random() < 0.5 ? hex(unit) : hex(unit).toUpperCase().replace("U", "u");
      if (pair) spelling += hex(text.charCodeAt(++index));
    } else if (pair) spelling += text[index]! + text[++index]!;
    else spelling += JSON.stringify(text[index]).slice(1, -1);
  }
  return `${spelling}"`;
}

function shuffle(items: unknown[], random: Random): void {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [items[index], items[other]] = [items[other], items[index]];
  }
}

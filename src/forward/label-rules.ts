// What a metric's name, tags and client are called in a Prometheus-compatible store, whose names have fewer characters than
// ours. Pure; once a series.
//
//   name   cpu.usage       __name__="cpu_usage"       what is none of a-z A-Z 0-9 _ : becomes _; a digit in front gets _ before it
//   tag    disk-id=sda     disk_id="sda"              the same, without the colon
//   tag    __name__=x      exported___name__="x"      two underscores in front are the store's own
//   client web             client="web"               who sent it, which no tag can claim: a tag `client` is exported_client
//
// Tags that come to the same label share it, their values joined by ";" in the order of the tags' own names: nothing is
// dropped, and the series is the same in whatever order they were sent. An empty value is no label, as in the store.
// The type is no label either: a counter stays the series it was when its sender calls it a gauge.

export interface Label {
  name: string;
  value: string;
}

/** Sorted by name, as remote write wants them. */
export function labelsOf(name: string, tags: Readonly<Record<string, string>>, client: string): Label[] {
  const values = new Map<string, string>();
  for (const [tag, value] of Object.entries(tags).sort(byFirst)) {
    if (value === "") continue;
    const label = labelName(tag);
    const before = values.get(label);
    values.set(label, before === undefined ? value : `${before};${value}`);
  }
  values.set("__name__", metricName(name));
  if (client !== "") values.set("client", client);
  return [...values].sort(byFirst).map(([label, value]) => ({ name: label, value }));
}

export function metricName(name: string): string {
  return notWithDigit(name.replace(/[^a-zA-Z0-9_:]/gu, "_"));
}

export function labelName(tag: string): string {
  if (tag === "client") return "exported_client";
  const plain = notWithDigit(tag.replace(/[^a-zA-Z0-9_]/gu, "_"));
  return plain.startsWith("__") ? `exported_${plain}` : plain || "_";
}

function notWithDigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function byFirst([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

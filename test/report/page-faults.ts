// What can be wrong with how a page looks, found inside of the browser: each function is sent there as it is, so it may
// use nothing from outside of itself. Each returns its findings in words; none is good.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** What makes the page wider than the window. Tables scroll inside of their own box, which counts as fitting. */
export function overflowFaults(): string[] {
  const width = document.documentElement.clientWidth;
  const faults: string[] = [];
  if (document.documentElement.scrollWidth > width)
    faults.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
  for (const one of document.querySelectorAll("body *")) {
    const box = one.getBoundingClientRect();
    const isOutside = box.width > 0 && (box.right > width + 1 || box.left < -1);
    if (isOutside && one.closest(".scroll, .hidden, .skip") === null)
      faults.push(`${one.localName}.${one.getAttribute("class")} from ${box.left} to ${box.right}`);
  }
  return faults.slice(0, 5);
}

/** Marks of a shown chart outside of its plot, and texts outside of the drawing. */
export function outsideFaults(): string[] {
  const faults: string[] = [];
  for (const svg of document.querySelectorAll<SVGSVGElement>("svg[data-plot]")) {
    if (svg.getBoundingClientRect().width === 0) continue;
    const [left, top, right, bottom] = svg.dataset.plot!.split(" ").map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const lines = svg.querySelectorAll<SVGGraphicsElement>(".line, .band, .dot");
    if (lines.length === 0) faults.push("a chart without a line");
    for (const line of lines) {
      const box = line.getBBox();
      const name = `${line.localName}.${line.getAttribute("class")}`;
      if (box.width === 0 && box.height === 0) faults.push(`${name} is empty`);
      const radius = line.localName === "path" || line.localName === "line" ? 0.5 : 5;
      if (box.x < left - radius || box.x + box.width > right + radius)
        faults.push(`${name} leaves the plot sideways`);
      if (box.y < top - radius || box.y + box.height > bottom + radius)
        faults.push(`${name} leaves the plot`);
    }
    const view = svg.viewBox.baseVal;
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBBox();
      if (
        box.x < -1 ||
        box.x + box.width > view.width + 1 ||
        box.y < -1 ||
        box.y + box.height > view.height + 1
      )
        faults.push(`'${text.textContent}' leaves the drawing`);
    }
  }
  return faults.slice(0, 5);
}

/** Texts whose contrast to what lies behind them is below 4.5:1 (3:1 for large ones). */
export function contrastFaults(): string[] {
  type Color = readonly [red: number, green: number, blue: number, alpha: number];
  const read = (text: string): Color => {
    const parts = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? (text.startsWith("rgb") ? 1 : 0)];
  };
  const luminance = ([red, green, blue]: Color): number => {
    const [r, g, b] = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (start: Element): Color => {
    for (let one: Element | null = start; one !== null; one = one.parentElement) {
      const color = read(getComputedStyle(one).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255, 1];
  };
  const faults = new Set<string>();
  for (const one of document.querySelectorAll("body *")) {
    const hasText = [...one.childNodes].some(
      (node) => node.nodeType === 3 && node.textContent!.trim() !== "",
    );
    if (!hasText || !one.checkVisibility() || one.closest(".hidden, .skip, script, title") !== null) continue;
    const style = getComputedStyle(one);
    const color = read(one instanceof SVGElement ? style.fill : style.color);
    const [high, low] = [luminance(color), luminance(behind(one))].sort((a, b) => b - a) as [number, number];
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (Number.parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
      faults.add(
        `${one.localName}.${one.getAttribute("class")} '${one.textContent!.slice(0, 30)}' ${ratio.toFixed(2)}:1`,
      );
  }
  return [...faults].slice(0, 8);
}

// Puts a generated table into a page, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`, so that no figure is typed.
import { readFileSync, writeFileSync } from "node:fs";
import { print } from "./print.ts";

/** Says so, and leaves the page as it is, where the marks are not there. */
export function fillPageBlock(path: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const page = readFileSync(path, "utf8");
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  if (from < begin.length || to < from) {
    print(`${path} is as it was: it has no ${begin} and ${end}`);
    return;
  }
  writeFileSync(path, `${page.slice(0, from)}\n${text}\n${page.slice(to)}`);
}

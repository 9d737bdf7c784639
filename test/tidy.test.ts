// The rules of the house that a machine can check: who may import whom, where shared memory and threads may be, and
// what keeps files small and the tree clean. The law of imports is drawn in ARCHITECTURE.md and written down here.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each folder of src/, and each file right in it, may import of ours; its own folder always. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  base: [],
  "limits.ts": [],
  "errors.ts": [],
  "config-values.ts": ["limits.ts", "nats"],
  "config-settings.ts": ["limits.ts", "config.ts", "config-values.ts"],
  "config.ts": ["limits.ts", "errors.ts", "config-settings.ts", "config-values.ts"],
  net: ["base", "limits.ts", "errors.ts"],
  http: ["base", "limits.ts", "errors.ts"],
  admission: ["base", "limits.ts", "errors.ts"],
  metric: ["base", "limits.ts", "errors.ts"],
  log: ["base", "limits.ts", "errors.ts"],
  telemetry: ["base", "limits.ts", "errors.ts"],
  server: [
    "base",
    "net",
    "http",
    "admission",
    "metric",
    "log",
    "telemetry",
    "nats",
    "follow",
    "replica",
    "forward",
    "limits.ts",
    "errors.ts",
    "config.ts",
  ],
  capacity: ["base", "net", "nats", "limits.ts", "errors.ts"],
  nats: ["base", "limits.ts", "errors.ts"],
  follow: ["base", "log", "limits.ts", "errors.ts"],
  replica: ["base", "log", "follow", "nats", "limits.ts", "errors.ts"],
  forward: ["base", "log", "follow", "limits.ts", "errors.ts"],
  cli: [
    "server",
    "capacity",
    "log",
    "nats",
    "follow",
    "replica",
    "forward",
    "base",
    "limits.ts",
    "errors.ts",
    "config.ts",
    "config-settings.ts",
  ],
};

/** Packages that are not of the runtime, and who may import them: none of the stages on the hot path. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  bun: ["net"],
  commander: ["cli"],
  valibot: ["config.ts", "config-values.ts"],
  yaml: ["config.ts"],
  pino: ["server", "cli"],
  "prom-client": ["telemetry"],
  "d3-scale": ["capacity"],
  "d3-shape": ["capacity"],
  "@nats-io/transport-node": ["nats", "replica", "capacity"],
  "@nats-io/jetstream": ["replica"],
  "@nats-io/kv": ["replica"],
  "@bufbuild/protobuf": ["forward"],
  snappyjs: ["forward"],
};

/** The files that start threads, each from a *.worker.ts: the server's, and the load generator's. */
const THREAD_STARTERS = [
  "src/server/worker-threads.ts",
  "src/server/follower-thread.ts",
  "src/capacity/load/generator-threads.ts",
];
/** What these do is moving bytes between sockets and stages; only a whole run can measure it, which bench/ does. */
const MEASURED_WHOLE: readonly string[] = ["net", "server"];
const LINES_MAX = 400;
/** Tests are tables of cases more than functions, and are split later. */
const TEST_LINES_MAX = 600;
const ROOT_ENTRIES_MAX = 12;

interface SourceFile {
  /** From the root, with "/". */
  readonly path: string;
  readonly text: string;
  /** Without comments and without what stands between quotes. */
  readonly code: string;
  readonly imports: readonly string[];
}

const sources = globSync("src/**/*.ts", { cwd: ROOT }).sort().map(readSource);
/** A *.hammer.worker.ts is a thread of a test's. */
const TEST_KINDS = /\.(test|bench|fuzz|hammer)\./;
const products = sources.filter((file) => !TEST_KINDS.test(file.path));

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  return {
    path: path.replaceAll("\\", "/"),
    text,
    code: blank(text, true),
    imports: listImports(blank(text, false)),
  };
}

/** The text with its comments blanked, and on demand the insides of its strings. Lines stay where they are. */
function blank(text: string, stringsToo: boolean): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?{};\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;
  return text.replace(token, (part) => {
    const isString = /^["'`]/.test(part);
    if (isString && !stringsToo) return part;
    return isString ? `""${part.replace(/[^\n]/g, "")}` : part.replace(/[^\n]/g, " ");
  });
}

/** What the code imports, of every form: import, import type, export from, import(…). */
function listImports(code: string): string[] {
  const found: string[] = [];
  for (const match of code.matchAll(/\b(?:from|import)\s*["']([^"']+)["']/g)) found.push(match[1]!);
  for (const match of code.matchAll(/\bimport\s*\(\s*([^)]*?)\s*\)/g)) {
    found.push(/^["']([^"']+)["']/.exec(match[1]!)?.[1] ?? `(${match[1]})`);
  }
  return found;
}

/** The unit of the law that a path under src/ belongs to: its folder, or itself where it lies right in src/. */
function unitOf(path: string): string {
  return path.split("/")[1]!;
}

function packageOf(name: string): string {
  return name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : name.split("/")[0]!;
}

/** Why the import is against the law, or "". */
function faultOfImport(file: SourceFile, name: string): string {
  const unit = unitOf(file.path);
  if (name.startsWith("node:") || name.startsWith("bun:")) return "";
  if (!name.startsWith(".")) {
    if (name.startsWith("(")) return "an import must name its file, so that this test can read it";
    return PACKAGES[packageOf(name)]?.includes(unit)
      ? ""
      : `${unit} may not use the package ${packageOf(name)}`;
  }
  const target = posix.join(posix.dirname(file.path), name);
  if (target === "package.json") return unit === "cli" ? "" : "only cli may read package.json";
  if (!target.startsWith("src/")) return "product code imports only from src/";
  if (!sources.some((other) => other.path === target)) return "there is no such file";
  if (TEST_KINDS.test(target)) return "product code may not import tests";
  const allowed = LAW[unit];
  if (allowed === undefined) return `${unit} is not in the law; write down in LAW what it may import`;
  return unitOf(target) === unit || allowed.includes(unitOf(target))
    ? ""
    : `${unit} may not import ${unitOf(target)}`;
}

function assertNone(faults: readonly string[]): void {
  assert.equal(faults.length, 0, `\n${faults.join("\n")}`);
}

function faultsWhere(files: readonly SourceFile[], isFault: (file: SourceFile) => boolean): string[] {
  return files.filter(isFault).map((file) => file.path);
}

function trackedFiles(): string[] {
  return execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean);
}

function isRepository(): boolean {
  try {
    return trackedFiles().length > 0;
  } catch {
    return false;
  }
}
const outsideGit = isRepository() ? false : "not in a git repository";

describe("the law of imports", () => {
  test("every file imports only what its folder may", () => {
    const faults = products.flatMap((file) =>
      file.imports
        .map((name) => ({ name, fault: faultOfImport(file, name) }))
        .filter(({ fault }) => fault !== "")
        .map(({ name, fault }) => `${file.path}: "${name}": ${fault}`),
    );
    assertNone(faults);
  });

  test("every folder of src/ is in the law", () => {
    for (const file of sources) assert.ok(unitOf(file.path).replace(".test.", ".") in LAW, file.path);
  });

  test("no file imports itself in a circle", () => {
    const graph = new Map(products.map((file) => [file.path, valueImports(file)]));
    const faults: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) faults.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      if (done.has(path) || trail.includes(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    assertNone(faults);
  });

  test("a server that stays on its machine loads no client of a stream or of a store", () => {
    const graph = new Map(products.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const visit = (path: string): void => {
      const file = graph.get(path);
      if (file === undefined || reached.has(path)) return;
      reached.add(path);
      for (const next of valueImports(file)) visit(next);
    };
    for (const entry of [
      "src/cli/main.ts",
      "src/cli/serve.ts",
      "src/server/supervisor.ts",
      "src/server/ingest.worker.ts",
    ])
      visit(entry);
    assert.ok(
      reached.has("src/log/lane.ts") && reached.has("src/server/follower-thread.ts"),
      "the graph is read",
    );
    const clients = /^(@nats-io\/|@bufbuild\/|snappyjs$)/;
    assertNone(
      [...reached].filter((path) => packagesOf(graph.get(path)!).some((name) => clients.test(name))),
    );
  });

  test("imports of every form are seen, and comments and texts are not", () => {
    const code = blank(
      'import a from "./a.ts"; // import x from "./x.ts"\nimport type { B } from \'./b.ts\';\nexport { c } from "./c.ts";\n' +
        'import "./d.ts"; await import("./e.ts"); /* import "./y.ts" */ import {\n  f,\n} from "./f.ts"; import(name);',
      false,
    );
    assert.deepEqual(listImports(code), [
      "./a.ts",
      "./b.ts",
      "./c.ts",
      "./d.ts",
      "./f.ts",
      "./e.ts",
      "(name)",
    ]);
    assert.equal(
      blank('x = "Atomics"; // Atomics\ny = /"/; `Atomics`; Atomics', true).match(/Atomics/g)?.length,
      1,
    );
  });
});

/** Packages that are loaded with the file. */
function packagesOf(file: SourceFile): string[] {
  const withoutTypes = blank(file.text, false).replace(/\bimport\s+type\b[^;]*?;/g, "");
  return listImports(withoutTypes.replace(/\bimport\s*\([^)]*\)/g, "")).filter((name) =>
    /^[@a-z]/.test(name),
  );
}

/** What has to be loaded before the file itself; types, and what is loaded on demand, may refer back. */
function valueImports(file: SourceFile): string[] {
  const withoutTypes = blank(file.text, false).replace(/\b(?:import|export)\s+type\b[^;]*?;/g, "");
  return listImports(withoutTypes.replace(/\bimport\s*\([^)]*\)/g, ""))
    .filter((name) => name.startsWith("."))
    .map((name) => posix.join(posix.dirname(file.path), name));
}

describe("shared memory and threads", () => {
  // A type may say that what passes through is shared; who makes it or reads it is in a *.layout.ts.
  test("shared memory is made and touched only in *.layout.ts", () => {
    const touches = /\bAtomics\b|\bnew\s+SharedArrayBuffer\b/;
    assertNone(faultsWhere(products, (file) => !file.path.endsWith(".layout.ts") && touches.test(file.code)));
  });

  test("threads start in a few files only, and only from *.worker.ts", () => {
    const starters = products.filter((file) => /\bnew\s+Worker\b/.test(file.code));
    assertNone(faultsWhere(starters, (file) => !THREAD_STARTERS.includes(file.path)));
    for (const file of starters) assert.match(file.text, /\.worker\.ts["']/, file.path);
  });
});

describe("files", () => {
  test("each opens with a comment that says what it is", () => {
    assertNone(faultsWhere(products, (file) => !/^(#![^\n]*\n)?(\/\/ \S|\/\*)/.test(file.text)));
  });

  test(`none is longer than ${LINES_MAX} lines, and no test longer than ${TEST_LINES_MAX}`, () => {
    const mostOf = (file: SourceFile) => (TEST_KINDS.test(file.path) ? TEST_LINES_MAX : LINES_MAX);
    assertNone(faultsWhere(sources, (file) => file.text.split("\n").length - 1 > mostOf(file)));
  });

  test("none is named for being of use, and none only passes others on", () => {
    const vague = /^(utils?|common|helpers?|managers?|misc|shared|index)\.|[-.](utils?|helpers?|manager)\./;
    assertNone(faultsWhere(sources, (file) => vague.test(basename(file.path))));
  });

  test("each folder with hot files has a benchmark", () => {
    const hot = new Set(
      products.filter((file) => /^\/\/ HOT:/m.test(file.text)).map((file) => unitOf(file.path)),
    );
    const measured = new Set(
      sources.filter((file) => file.path.endsWith(".bench.ts")).map((file) => unitOf(file.path)),
    );
    assertNone([...hot].filter((unit) => !measured.has(unit) && !MEASURED_WHOLE.includes(unit)));
  });

  test("none has work left standing in it", () => {
    assertNone(faultsWhere(sources, (file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(file.text)));
  });
});

describe("the repository", () => {
  test("the lock file names no registry, so that any registry serves", () => {
    for (const path of ["package-lock.json", "bench/package-lock.json"]) {
      const lock: { packages: Record<string, { resolved?: string }> } = JSON.parse(
        readFileSync(join(ROOT, path), "utf8"),
      );
      assertNone(
        Object.entries(lock.packages).flatMap(([name, entry]) =>
          entry.resolved ? [`${path}: ${name}`] : [],
        ),
      );
    }
  });

  test("nothing refers to the machine it was written on", { skip: outsideGit }, () => {
    const machine = new RegExp(
      `(^|[\\s"'\`(=:])/(${["work", "root", "home/[a-z]", "tmp/sk", "Users"].join("|")})(/|\\b)`,
      "m",
    );
    const texts = trackedFiles().filter(
      (path) => /\.(ts|md|sh|json|js|html|yaml|yml)$/.test(path) && path !== "package-lock.json",
    );
    assertNone(texts.filter((path) => machine.test(readFileSync(join(ROOT, path), "utf8"))));
  });

  test(`its root shows at most ${ROOT_ENTRIES_MAX} entries`, { skip: outsideGit }, () => {
    const entries = new Set(trackedFiles().map((path) => path.split("/")[0]!));
    const shown = [...entries].filter((name) => !name.startsWith("."));
    assert.ok(shown.length <= ROOT_ENTRIES_MAX, `${shown.length}: ${shown.join(" ")}`);
  });
});

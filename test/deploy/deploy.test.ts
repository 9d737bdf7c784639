// Every file that deploys, through a linter of its kind, and each flag and variable in them held against the commands.
// ONCE: the linters are the same programs, whichever runtime starts them.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { findProgram } from "../../bench/programs.ts";
import { drainCommand } from "../../src/cli/drain.ts";
import { serveCommand } from "../../src/cli/serve.ts";
import {
  commandLines,
  DEPLOY,
  execStart,
  ROOT,
  readComposeServices,
  readManifests,
  readText,
} from "./deployed-words.ts";

/** systemd's own score of what a unit leaves open, of 100. */
const EXPOSURE_MAX = 20;
/** What dclint finds untidy and we do not: these files are in the order in which things depend on each other. */
const ORDER_RULES = ["service-keys-order", "services-alphabetical-order", "top-level-properties-order"];
const YAML_RULES =
  "{extends: default, rules: {line-length: {max: 130}, document-start: disable, braces: {max-spaces-inside: 1}}}";

const folder = mkdtempSync(join(tmpdir(), "tidemark-deploy-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function missing(program: string): string | false {
  return findProgram(program) === null && `${program} is not installed`;
}

/** Asserts that a program finds nothing, and shows what it said otherwise; else says what it said. */
function assertClean(
  program: string,
  words: readonly string[],
  environment: Record<string, string> = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: "utf8",
    cwd: ROOT,
    env: { ...process.env, ...environment },
  });
  assert.equal(status, 0, `${error ?? ""}${stdout}${stderr}`);
  return stdout + stderr;
}

function npmProgram(name: string): string {
  return join(ROOT, "node_modules/.bin", name);
}

describe("what deploy/ has tidemark told", () => {
  const commands = { serve: serveCommand(), drain: drainCommand() };

  test("is flags and variables that its commands have", () => {
    const lines = commandLines();
    assert.equal(lines.length, 9);
    for (const { where, words, environment } of lines) {
      const [name, ...flags] = words as ["serve" | "drain", ...string[]];
      const known = commands[name].options.map(({ long }) => long);
      for (const flag of flags.filter((word) => word.startsWith("--")))
        assert.ok(known.includes(flag.split("=")[0]!), `${where}: ${name} has no ${flag}`);
      for (const variable of environment) {
        const flag = `--${variable.replace("TIDEMARK_", "").toLowerCase().replaceAll("_", "-")}`;
        assert.ok(known.includes(flag), `${where}: ${name} has no ${flag} for ${variable}`);
      }
    }
  });

  test("is the same stream for those who fill it and those who empty it", () => {
    const streams = commandLines().map(
      ({ words }) =>
        words.find((word) => word.startsWith("--stream="))?.slice("--stream=".length) ?? "tidemark",
    );
    assert.deepEqual([...new Set(streams)], ["tidemark"]);
  });
});

describe("deploy/systemd", () => {
  const units = ["tidemark.service", "tidemark-drain.service"];
  /** With this runtime where the unit names one that an operator has put there. */
  const placed = units.map((unit) => {
    const path = join(folder, unit);
    writeFileSync(
      path,
      readText(`systemd/${unit}`).replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`),
    );
    return path;
  });
  const skip = missing("systemd-analyze");

  test("has units that systemd takes", { skip }, () => {
    // What it does not know it only warns of.
    for (const path of placed) assert.equal(assertClean("systemd-analyze", ["verify", "--man=no", path]), "");
  });

  test("leaves little open", { skip }, () => {
    for (const path of placed)
      assertClean("systemd-analyze", [
        "security",
        "--offline=true",
        `--threshold=${EXPOSURE_MAX}`,
        "--no-pager",
        path,
      ]);
  });

  test("starts a server that ends as the unit expects", async () => {
    const [, , ...words] = execStart("tidemark.service");
    const data = join(folder, "state");
    const child = spawn(
      process.execPath,
      [join(ROOT, "src/cli/main.ts"), ...words.map((word) => word.replace(/\$\{STATE_DIRECTORY\}/, data))],
      { env: { PATH: process.env.PATH ?? "", TIDEMARK_PORT: "0" }, stdio: ["ignore", "pipe", "ignore"] },
    );
    const exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    let said = "";
    for await (const chunk of child.stdout!.setEncoding("utf8")) {
      said += chunk;
      if (said.includes("\n")) break;
    }
    const address = /http:\/\/\S+/.exec(said)![0];
    assert.equal((await fetch(new URL("/health", address))).status, 200);
    child.kill("SIGTERM");
    assert.equal(await exited, 0);
  });
});

describe("deploy/Containerfile", () => {
  test("is one that its linter takes", () => {
    assertClean(npmProgram("dockerfile-utils"), ["lint", join(DEPLOY, "Containerfile")]);
  });

  test("copies what is there, runs as nobody in particular, and names its versions", () => {
    const text = readText("Containerfile");
    for (const [, sources] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const source of sources!.split(" ")) assert.ok(existsSync(join(ROOT, source)), source);
    assert.match(text, /^USER \d+:\d+$/m);
    for (const [, image] of text.matchAll(/^FROM (\S+)/gm)) assert.match(image!, /^[a-z]+:(?!latest)\S+$/);
  });
});

describe("deploy/compose.yaml", () => {
  test("is one that its linter takes", () => {
    const rules = ORDER_RULES.flatMap((rule) => ["--disable-rule", rule]);
    assertClean(npmProgram("dclint"), [join(DEPLOY, "compose.yaml"), "--max-warnings", "0", ...rules]);
  });

  test("has each server under the name by which the others look for it", () => {
    const routes = readText("nats/nats.conf").match(/nats-\d\.nats/g)!;
    const names = Object.keys(readComposeServices()).filter((name) => name.startsWith("nats-"));
    assert.deepEqual(
      routes,
      names.map((name) => `${name}.nats`),
    );
  });
});

describe("deploy/nats", () => {
  test("has a configuration that nats-server takes", { skip: missing("nats-server") }, () => {
    const environment = { SERVER_NAME: "nats-0", NATS_PASSWORD: "p0" };
    const whole = spawnSync(findProgram("nats-server")!, ["-t", "-c", join(DEPLOY, "nats/nats.conf")], {
      encoding: "utf8",
      env: environment,
    });
    // One older than 2.10 knows all of it but for this.
    if (/unknown field "sync_interval"/.test(whole.stderr)) {
      const path = join(folder, "nats.conf");
      writeFileSync(path, readText("nats/nats.conf").replace(/^ *sync_interval.*\n/m, ""));
      assertClean(findProgram("nats-server")!, ["-t", "-c", path], environment);
    } else assert.equal(whole.status, 0, whole.stderr);
  });
});

describe("deploy/kubernetes", () => {
  const manifests = readManifests();

  test("is all named by the kustomization", () => {
    const files = readdirSync(join(DEPLOY, "kubernetes")).map((file) => `kubernetes/${file}`);
    const text = readText("kustomization.yaml");
    for (const file of files) assert.ok(text.includes(file), file);
  });

  test("is valid by the schemas of Kubernetes", async () => {
    for (const { apiVersion, kind, ...rest } of manifests) {
      const module = await import(`kubernetes-models/${apiVersion}/${kind}`);
      const Model = module[kind];
      assert.doesNotThrow(() => new Model(rest).validate(), `${kind} ${rest.metadata.name}`);
    }
  });

  // The schemas let unknown fields pass, as the API does; the types that come with them do not.
  test("has no field that Kubernetes does not know", () => {
    const types = [...new Set(manifests.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`))];
    const nameOf = (type: string) => `I${type.split("/").at(-1)}`;
    const lines = [
      ...types.map((type) => `import type { ${nameOf(type)} } from "kubernetes-models/${type}";`),
      ...manifests.map((manifest, index) => {
        const name = nameOf(`${manifest.apiVersion}/${manifest.kind}`);
        return `export const manifest${index}: ${name} = ${JSON.stringify(manifest, null, 2)};`;
      }),
    ];
    const place = mkdtempSync(join(mkdirAll(join(ROOT, "node_modules/.cache")), "deploy-"));
    try {
      const path = join(place, "manifests.ts");
      writeFileSync(path, `${lines.join("\n")}\n`);
      const flags = [
        "--noEmit",
        "--ignoreConfig",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "--types",
        "node",
      ];
      assertClean(npmProgram("tsc"), [...flags, path]);
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  test("becomes one list by kustomize", { skip: missing("kubectl") }, () => {
    assertClean("kubectl", ["kustomize", DEPLOY]);
  });

  test("sets no settings by accident, and has each set survive the loss of a machine", () => {
    const sets = manifests.filter(({ kind }) => kind === "StatefulSet");
    const budgets = manifests
      .filter(({ kind }) => kind === "PodDisruptionBudget")
      .map(({ metadata }) => metadata.name);
    assert.deepEqual(sets.map(({ metadata }) => metadata.name).sort(), budgets.sort());
    for (const set of sets)
      assert.match(JSON.stringify(set), /"enableServiceLinks":false.*"podAntiAffinity"/);
  });
});

describe("deploy/", () => {
  test("has YAML that its linter takes", { skip: missing("yamllint") }, () => {
    assertClean("yamllint", ["--strict", "--config-data", YAML_RULES, DEPLOY]);
  });
});

function mkdirAll(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

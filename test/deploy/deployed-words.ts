// What the files of deploy/ have `tidemark` told: its command lines, and the variables of its environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";

export const ROOT = join(fileURLToPath(import.meta.url), "../../..");
export const DEPLOY = join(ROOT, "deploy");

export interface CommandLine {
  /** The file, and what in it. */
  readonly where: string;
  readonly words: readonly string[];
  /** Names only. */
  readonly environment: readonly string[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Pod {
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string }[];
    readonly image: string;
  }[];
}

interface StatefulSet extends Manifest {
  readonly spec: { readonly template: { readonly spec: Pod } };
}

export function readText(path: string): string {
  return readFileSync(join(DEPLOY, path), "utf8");
}

/** Every manifest that the kustomization names. */
export function readManifests(): Manifest[] {
  const { resources } = parse(readText("kustomization.yaml")) as { resources: string[] };
  return resources.flatMap((path) =>
    parseAllDocuments(readText(path)).map((document) => document.toJS() as Manifest),
  );
}

export function readComposeServices(): Record<
  string,
  { image: string; command: string[]; environment: Record<string, string> }
> {
  return parse(readText("compose.yaml"), { merge: true }).services;
}

/** The words of a unit's ExecStart, its program first. */
export function execStart(unit: string): string[] {
  return /^ExecStart=(.*)$/m.exec(readText(`systemd/${unit}`))![1]!.split(" ");
}

export function commandLines(): CommandLine[] {
  const units = ["tidemark.service", "tidemark-drain.service"].map((unit) => ({
    where: `systemd/${unit}`,
    words: execStart(unit).slice(2),
    environment: readText(`systemd/${unit}`).match(/\bTIDEMARK_\w+/g) ?? [],
  }));
  const services = Object.entries(readComposeServices())
    .filter(([, { image }]) => image.startsWith("tidemark"))
    .map(([name, { command, environment }]) => ({
      where: `compose.yaml: ${name}`,
      words: command,
      environment: Object.keys(environment),
    }));
  const sets = readManifests()
    .filter((manifest): manifest is StatefulSet => manifest.kind === "StatefulSet")
    .flatMap(({ metadata, spec }) =>
      spec.template.spec.containers
        .filter(({ image }) => image.startsWith("tidemark"))
        .map(({ args, env }) => ({
          where: `kubernetes: ${metadata.name}`,
          words: args,
          environment: env.map(({ name }) => name),
        })),
    );
  const image = /^CMD (\[.*\])$/m.exec(readText("Containerfile"))![1]!;
  return [
    ...units,
    ...services,
    ...sets,
    { where: "Containerfile", words: JSON.parse(image) as string[], environment: [] },
  ];
}

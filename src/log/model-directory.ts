// For tests: one directory of a model file system (model-files.ts). Its entries are there at once for those who look, and
// on the disk after a sync of the directory, or earlier, each by itself, by chance. A rename is one change of two names.
// A failed sync of a directory drops nothing, unlike one of a file: a journal still has the change or has stopped for good.

import type { ModelFile } from "./model-file.ts";

export type ModelNode = ModelFile | ModelDirectory;

/** Names, and what each stands for from here on; null for nothing. */
type Change = readonly (readonly [name: string, node: ModelNode | null])[];

export class ModelDirectory {
  readonly entries = new Map<string, ModelNode>();
  private readonly durable = new Map<string, ModelNode>();
  private pending: Change[] = [];

  put(name: string, node: ModelNode): void {
    this.change([[name, node]]);
  }

  remove(name: string): void {
    this.change([[name, null]]);
  }

  rename(from: string, to: string): void {
    this.change([
      [from, null],
      [to, this.entries.get(from)!],
    ]);
  }

  snapshot(): readonly Change[] {
    return this.pending.slice();
  }

  /** The sync that took the snapshot has returned well. */
  settle(snapshot: readonly Change[]): void {
    for (const change of snapshot) {
      if (!this.pending.includes(change)) continue;
      apply(this.durable, change);
    }
    this.pending = this.pending.filter((change) => !snapshot.includes(change));
  }

  /** Whether a power cut could take this name's file. */
  isPending(name: string): boolean {
    return this.pending.some((change) => change.some(([changed]) => changed === name));
  }

  /** The same directory and all below it. `clones` says what each node has become, so that two names keep one file. */
  clone(clones = new Map<ModelNode, ModelNode>()): ModelDirectory {
    const copy = new ModelDirectory();
    clones.set(this, copy);
    const of = (node: ModelNode): ModelNode => {
      const known = clones.get(node);
      if (known !== undefined) return known;
      if (node instanceof ModelDirectory) return node.clone(clones);
      const file = node.clone();
      clones.set(node, file);
      return file;
    };
    for (const [name, node] of this.entries) copy.entries.set(name, of(node));
    for (const [name, node] of this.durable) copy.durable.set(name, of(node));
    copy.pending = this.pending.map((change) =>
      change.map(([name, node]) => [name, node === null ? null : of(node)] as const),
    );
    return copy;
  }

  /** What is on the disk after a power cut: a change that was not stored keeps later ones of its names from being so. */
  afterPowerCut(random: () => number): ModelDirectory {
    const entries = new Map(this.durable);
    const share = random() < 0.3 ? 0 : random() < 0.3 ? 1 : random();
    const blocked = new Set<string>();
    for (const change of this.pending) {
      if (random() < share && !change.some(([name]) => blocked.has(name))) apply(entries, change);
      else for (const [name] of change) blocked.add(name);
    }
    const left = new ModelDirectory();
    const nodes = new Map<ModelNode, ModelNode>();
    for (const [name, node] of entries) {
      const known = nodes.get(node) ?? node.afterPowerCut(random);
      nodes.set(node, known);
      left.entries.set(name, known);
      left.durable.set(name, known);
    }
    return left;
  }

  private change(change: Change): void {
    apply(this.entries, change);
    this.pending.push(change);
  }
}

function apply(entries: Map<string, ModelNode>, change: Change): void {
  for (const [name, node] of change) {
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
}

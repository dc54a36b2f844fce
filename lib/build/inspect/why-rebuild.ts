import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { instantiateRoots } from "../instantiate-roots.ts";
import { makePlan } from "../plan.ts";
import { formatOrigin, readBuildRecord } from "./build-record.ts";
import type { DerivationChange, DerivationGraph } from "./compare-derivations.ts";
import { comparedPairs } from "./compare-graphs.ts";
import { compareTrees, type TreeDifference } from "./compare-trees.ts";

/** A derivation that changed by itself, not only because an input did. */
export interface RebuildCause {
  readonly derivation: string;
  /** Names from the root to the derivation. */
  readonly chain: readonly string[];
  readonly changes: readonly RebuildChange[];
}

/** A change, and for a source the files that make it (where both versions are to be had). */
export type RebuildChange = DerivationChange & { readonly files?: readonly TreeDifference[] };

/** Why something would be built. */
export interface RebuildReport {
  /** Names of what would be built, inputs first. Early cut-off may make it less. */
  readonly builds: readonly string[];
  /** Whether a successful build of a root of this name is recorded, to compare with. */
  readonly compared: boolean;
  /** That it was compared with a build of another tree, and of which. */
  readonly note: string | undefined;
  /** Without causes, what would be built was removed from the store. */
  readonly causes: readonly RebuildCause[];
}

/**
 * Compares a root with how it was when it was last built.
 *
 * @param origin the directory of its flake, or the file that describes it: builds of the same are preferred
 */
export const whyRebuild = Effect.fnUntraced(function* (
  root: Derivation,
  origin: string | undefined,
): Effect.fn.Return<RebuildReport, StoreError | DerivationError, Store | FileSystem> {
  const { instantiation, addInput } = yield* instantiateRoots([root]);
  const plan = yield* makePlan(instantiation, [root]);
  const builds = plan.builds.map(({ derivation }) => derivation.store.name);
  const record = yield* readBuildRecord(root.name, origin);
  const note = record === undefined ? undefined : formatOrigin(record, origin);
  const top = instantiation.derivations.get(root);
  if (builds.length === 0 || record === undefined || top === undefined) {
    return { builds, compared: record !== undefined, note, causes: [] };
  }
  const after: DerivationGraph = new Map([...instantiation.byPath].map(([path, { store }]) => [path, store]));
  const causes = comparedPairs({ path: record.root, graph: record.derivations }, { path: top.path, graph: after })
    .filter(({ changes }) => changes.length > 0)
    .map(({ chain, changes }) => ({ derivation: chain.at(-1) ?? root.name, chain, changes }));
  const explained = yield* Effect.forEach(causes, (cause) =>
    Effect.map(
      Effect.forEach(cause.changes, (change) => withFiles(change, addInput)),
      (changes) => ({ ...cause, changes }),
    ),
  );
  return { builds, compared: true, note, causes: explained };
});

/** Adds which files of a source changed, if its earlier version is still in the store. */
const withFiles = Effect.fnUntraced(function* (
  change: DerivationChange,
  addInput: (path: StorePath) => Effect.Effect<void, StoreError>,
): Effect.fn.Return<RebuildChange, StoreError, Store | FileSystem> {
  if (change.kind !== "source" || change.before === undefined || change.after === undefined) return change;
  const fs = yield* FileSystem;
  const store = yield* Store;
  const { before, after } = change;
  if (!(yield* store.isValid(before))) return change;
  yield* addInput(after);
  const files = yield* Effect.tryPromise({
    try: () => compareTrees(fs, store.physical(before), store.physical(after)),
    catch: (cause) => storeError("compare", after, cause),
  });
  return { ...change, files };
});

const mostFiles = 10;

/** The report as lines for people. */
export function formatRebuildReport({ builds, compared, note, causes }: RebuildReport): string[] {
  if (builds.length === 0) return ["Nothing would be built."];
  const what = builds.length === 1 ? "1 derivation would" : `${builds.length} derivations would`;
  if (!compared) return [`${what} be built: no earlier build is recorded to compare with.`];
  const told = note === undefined ? [] : [`(${note})`];
  if (causes.length === 0)
    return [`${what} be built although nothing changed: the outputs are not in the store any more.`, ...told];
  return [
    `${what} be built, because of:`,
    ...told,
    ...causes.flatMap(({ chain, changes }) => [
      `  ${chain.join(" → ")}`,
      ...changes.flatMap(formatChange).map((line) => `    ${line}`),
    ]),
  ];
}

/** A change as lines for people. */
export function formatChange(change: RebuildChange): string[] {
  switch (change.kind) {
    case "source": {
      if (change.before === undefined) return [`source '${change.name}' is new`];
      if (change.after === undefined) return [`source '${change.name}' is gone`];
      if (change.files === undefined) return [`source '${change.name}' changed`];
      const files = change.files
        .slice(0, mostFiles)
        .map(({ file, kind }) => `${file === "" ? change.name : file} (${kind})`);
      const more = change.files.length > mostFiles ? ` and ${change.files.length - mostFiles} more` : "";
      return [`source '${change.name}' changed: ${files.join(", ")}${more}`];
    }
    case "input-added":
      return [`input '${change.name}' is new`];
    case "input-removed":
      return [`input '${change.name}' is gone`];
    case "variable":
      if (change.before === undefined) return [`variable '${change.name}' is new: ${brief(change.after ?? "")}`];
      if (change.after === undefined) return [`variable '${change.name}' is gone`];
      return [`variable '${change.name}' changed: ${formatText(change.before, change.after)}`];
    case "builder":
    case "system":
    case "arguments":
    case "outputs":
      return [`${change.kind} changed: ${formatText(change.before, change.after)}`];
  }
}

/** The first lines that differ. */
function formatText(before: string, after: string): string {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let line = 0;
  while (line < old.length && line < fresh.length && old[line] === fresh[line]) line++;
  const place = old.length > 1 || fresh.length > 1 ? `line ${line + 1}: ` : "";
  const [from, to] = [old[line] ?? "", fresh[line] ?? ""];
  const start = Math.max(0, commonStart(from, to) - context);
  return `${place}${brief(from, start)} → ${brief(to, start)}`;
}

function commonStart(left: string, right: string): number {
  let length = 0;
  while (length < left.length && length < right.length && left[length] === right[length]) length++;
  return length;
}

const longest = 80;
/** How much of what is the same is shown before a difference. */
const context = 30;

function brief(text: string, start = 0): string {
  const [before, after] = [start > 0 ? "…" : "", text.length > start + longest ? "…" : ""];
  return JSON.stringify(`${before}${text.slice(start, start + longest)}${after}`);
}

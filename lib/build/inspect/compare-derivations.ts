import { inputPlaceholder } from "#lib/derivations/placeholder.ts";
import { knownOutputPath, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { derivationName, type DerivationPath, type StorePath, storePathName } from "#lib/derivations/store-path.ts";

/** Derivations by path: those of one evaluation. */
export type DerivationGraph = ReadonlyMap<DerivationPath, StoreDerivation>;

type OwnAttribute = "builder" | "system" | "arguments" | "outputs";

/** One difference between two derivations that is their own, not that of an input. Undefined means: not there. */
export type DerivationChange =
  | { readonly kind: OwnAttribute; readonly before: string; readonly after: string }
  | {
      readonly kind: "variable";
      readonly name: string;
      readonly before: string | undefined;
      readonly after: string | undefined;
    }
  | {
      readonly kind: "source";
      readonly name: string;
      readonly before: StorePath | undefined;
      readonly after: StorePath | undefined;
    }
  | { readonly kind: "input-added" | "input-removed"; readonly name: string };

/** How one derivation became another. */
export interface DerivationComparison {
  readonly changes: readonly DerivationChange[];
  /** Inputs of the same name that differ: the cause lies in them, or deeper. */
  readonly inputs: readonly { readonly before: DerivationPath; readonly after: DerivationPath }[];
}

/** Compares two derivations of two evaluations. Paths of inputs count by their names, or every change would show everywhere. */
export function compareDerivations(
  before: StoreDerivation,
  after: StoreDerivation,
  graphs: { readonly before: DerivationGraph; readonly after: DerivationGraph },
): DerivationComparison {
  const [old, fresh] = [readable(before, graphs.before), readable(after, graphs.after)];
  const changes: DerivationChange[] = [];
  const compare = (kind: OwnAttribute, from: string, to: string): void => {
    if (from !== to) changes.push({ kind, before: from, after: to });
  };
  compare("builder", old.name(before.builder), fresh.name(after.builder));
  compare("system", before.system, after.system);
  compare("arguments", old.name(before.args.join("\n")), fresh.name(after.args.join("\n")));
  compare("outputs", outputsText(before), outputsText(after));
  for (const name of new Set([...before.env.keys(), ...after.env.keys()])) {
    // The paths of outputs follow from everything else.
    if (before.outputs.has(name) && after.outputs.has(name)) continue;
    const [from, to] = [mapped(before.env.get(name), old.name), mapped(after.env.get(name), fresh.name)];
    if (from !== to) changes.push({ kind: "variable", name, before: from, after: to });
  }

  const sources = pair(before.inputSources, after.inputSources, storePathName);
  for (const [from, to] of sources) {
    const path = from ?? to;
    if (path !== undefined) changes.push({ kind: "source", name: storePathName(path), before: from, after: to });
  }
  const inputs: { before: DerivationPath; after: DerivationPath }[] = [];
  const pairs = pair([...before.inputDerivations.keys()], [...after.inputDerivations.keys()], derivationName);
  for (const [from, to] of pairs) {
    if (from !== undefined && to !== undefined) inputs.push({ before: from, after: to });
    else if (to !== undefined) changes.push({ kind: "input-added", name: derivationName(to) });
    else if (from !== undefined) changes.push({ kind: "input-removed", name: derivationName(from) });
  }
  // The order of paths is that of hashes, which tells nobody anything.
  inputs.sort((left, right) => (derivationName(left.after) < derivationName(right.after) ? -1 : 1));
  return { changes, inputs };
}

const mapped = (text: string | undefined, map: (text: string) => string): string | undefined =>
  text === undefined ? undefined : map(text);

/** What each output is promised to be; paths are left out for the same reason as in the environment. */
function outputsText({ outputs }: StoreDerivation): string {
  const lines = [...outputs].map(([name, output]) => {
    if (output.kind !== "fixed") return `${name} ${output.kind}`;
    return `${name} ${output.mode} ${output.hash.algorithm}:${output.hash.hex}`;
  });
  // A derivation that was read back has its outputs in another order than one that was just made.
  return lines.sort().join("\n");
}

/** Writes texts of a derivation with names in place of what its inputs' paths and placeholders are. */
function readable(derivation: StoreDerivation, graph: DerivationGraph): { readonly name: (text: string) => string } {
  const names = new Map<string, string>();
  for (const path of derivation.inputSources) names.set(path, `<${storePathName(path)}>`);
  for (const [path, outputs] of derivation.inputDerivations) {
    for (const output of outputs) {
      const name = `<${derivationName(path)}${output === "out" ? "" : `.${output}`}>`;
      const specification = graph.get(path)?.outputs.get(output);
      const known = specification === undefined ? undefined : knownOutputPath(specification);
      names.set(known ?? inputPlaceholder(path, output), name);
    }
  }
  return { name: (text) => text.replace(reference, (path) => names.get(path) ?? path) };
}

/** A store path, or a placeholder. */
const reference = /\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+\-._?=]+|\/[0-9a-z]{52}/g;

/** Pairs what is not in both lists, by name and in order; what finds no partner is paired with undefined. */
function pair<Item extends string>(
  before: readonly Item[],
  after: readonly Item[],
  nameOf: (item: Item) => string,
): [Item | undefined, Item | undefined][] {
  const [old, fresh] = [new Set(before), new Set(after)];
  const partners = new Map<string, Item[]>();
  for (const item of after) {
    if (old.has(item)) continue;
    const same = partners.get(nameOf(item)) ?? [];
    same.push(item);
    partners.set(nameOf(item), same);
  }
  const pairs: [Item | undefined, Item | undefined][] = [];
  for (const item of before) if (!fresh.has(item)) pairs.push([item, partners.get(nameOf(item))?.shift()]);
  for (const rest of partners.values()) for (const item of rest) pairs.push([undefined, item]);
  return pairs;
}

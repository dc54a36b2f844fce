import { printAterm } from "./aterm.ts";
import type { Derivation } from "./derivation.ts";
import { MissingSourceError, TextReferenceError } from "./errors.ts";
import { type HashModulo, hashModulo } from "./hash-modulo.ts";
import { sha256 } from "./hash.ts";
import { inputPlaceholder } from "./placeholder.ts";
import { withDeferredOutputs } from "./resolve.ts";
import type { Source } from "./source.ts";
import {
  derivationPath,
  derivationReferences,
  knownOutputPath,
  type OutputSpecification,
  ownOutput,
  type StoreDerivation,
} from "./store-derivation.ts";
import { type DerivationPath, fixedOutputPath, type StorePath, storeDirectory, textPath } from "./store-path.ts";
import type { TextFile } from "./text-file.ts";
import { replaceTokens, type TokenTarget, tokenTargets } from "./token.ts";

/** What can be instantiated. */
export type Instantiable = Derivation | TextFile | Source;

/** A derivation in its final form. */
export interface InstantiatedDerivation {
  readonly path: DerivationPath;
  readonly store: StoreDerivation;
  /** The `.drv` file. */
  readonly text: string;
  /** What the `.drv` file refers to. */
  readonly references: readonly StorePath[];
  readonly hashModulo: HashModulo;
}

/** A text in its final form. */
export interface InstantiatedText {
  readonly path: StorePath;
  readonly content: string;
  readonly references: readonly StorePath[];
}

/** The final form of everything that some roots need. The maps are in the order of dependencies: inputs first. */
export interface Instantiation {
  readonly derivations: ReadonlyMap<Derivation, InstantiatedDerivation>;
  readonly byPath: ReadonlyMap<DerivationPath, InstantiatedDerivation>;
  readonly texts: ReadonlyMap<TextFile, InstantiatedText>;
  /** Replaces tokens by store paths and placeholders, for printing. */
  substitute(text: string): string;
}

/** The sources that the roots need, directly or not: the caller finds out their store paths. */
export function referencedSources(roots: Iterable<Instantiable>): Source[] {
  return dependencyOrder(roots).filter((node) => node._tag === "Source");
}

/**
 * Computes the `.drv` files and texts that the roots need, and their paths. The
 * graph is walked without recursion, and each derivation is hashed once.
 *
 * @param sourcePaths the store path of each of `referencedSources(roots)`
 * @throws MissingSourceError, TextReferenceError, StorePathError
 */
export function instantiate(
  roots: Iterable<Instantiable>,
  sourcePaths: ReadonlyMap<Source, StorePath>,
  directory: string = storeDirectory,
): Instantiation {
  const derivations = new Map<Derivation, InstantiatedDerivation>();
  const byPath = new Map<DerivationPath, InstantiatedDerivation>();
  const texts = new Map<TextFile, InstantiatedText>();

  const outputs = new Map<TokenTarget, string>();

  const pathOf = (target: TokenTarget): string | undefined => {
    switch (target._tag) {
      case "Source":
        return sourcePaths.get(target);
      case "TextFile":
        return texts.get(target)?.path;
      case "Fingerprint":
        return derivations.get(target.derivation)?.hashModulo.asInput;
      case "DerivationOutput": {
        const known = outputs.get(target);
        if (known !== undefined) return known;
        const instantiated = derivations.get(target.derivation);
        const output = instantiated?.store.outputs.get(target.name);
        if (instantiated === undefined || output === undefined) return undefined;
        const path = knownOutputPath(output) ?? inputPlaceholder(instantiated.path, target.name);
        outputs.set(target, path);
        return path;
      }
    }
  };
  const substitute = (text: string): string => replaceTokens(text, pathOf);
  const inputHash = (path: DerivationPath): string => {
    const input = byPath.get(path);
    // Every input comes before its dependents in `dependencyOrder`.
    if (input === undefined) throw new TypeError(`input ${path} is not instantiated`);
    return input.hashModulo.asInput;
  };

  for (const node of dependencyOrder(roots)) {
    switch (node._tag) {
      case "Source":
        if (!sourcePaths.has(node)) throw new MissingSourceError(node.path);
        break;
      case "TextFile":
        texts.set(node, instantiateText(node, pathOf, substitute, directory));
        break;
      case "Derivation": {
        const inputs = collectInputs(node, derivations, pathOf);
        const store = storeDerivation(node, inputs, substitute, directory);
        const deferred = [...inputs.derivations.keys()].some((path) => isFloating(byPath.get(path)?.store));
        const final = deferred ? store : withDeferredOutputs(store, inputHash, directory);
        const text = printAterm(final);
        const instantiated: InstantiatedDerivation = {
          path: derivationPath(final, text, directory),
          store: final,
          text,
          references: derivationReferences(final),
          hashModulo: hashModulo(final, inputHash, text),
        };
        derivations.set(node, instantiated);
        byPath.set(instantiated.path, instantiated);
        break;
      }
    }
  }
  return { derivations, byPath, texts, substitute };
}

function isFloating(store: StoreDerivation | undefined): boolean {
  if (store === undefined) return false;
  for (const output of store.outputs.values()) {
    if (output.kind === "floating" || output.kind === "deferred") return true;
  }
  return false;
}

function instantiateText(
  text: TextFile,
  pathOf: (target: TokenTarget) => string | undefined,
  substitute: (text: string) => string,
  directory: string,
): InstantiatedText {
  const references = new Set<StorePath>();
  for (const target of tokenTargets(text.content)) {
    if (target._tag === "Fingerprint") continue;
    if (target._tag === "DerivationOutput") throw new TextReferenceError(text.name, target.derivation.name);
    references.add(pathOf(target) as StorePath);
  }
  const content = substitute(text.content);
  const sorted = [...references].sort();
  return { path: textPath(text.name, sha256(content), sorted, directory), content, references: sorted };
}

interface Inputs {
  readonly derivations: Map<DerivationPath, Set<string>>;
  readonly sources: Set<StorePath>;
}

function collectInputs(
  node: Derivation,
  derivations: ReadonlyMap<Derivation, InstantiatedDerivation>,
  pathOf: (target: TokenTarget) => string | undefined,
): Inputs {
  const inputs: Inputs = { derivations: new Map(), sources: new Set() };
  for (const target of derivationTargets(node)) {
    if (target._tag === "Fingerprint") continue;
    if (target._tag !== "DerivationOutput") {
      inputs.sources.add(pathOf(target) as StorePath);
      continue;
    }
    const path = derivations.get(target.derivation)?.path;
    if (path === undefined) continue;
    const outputs = inputs.derivations.get(path);
    if (outputs === undefined) inputs.derivations.set(path, new Set([target.name]));
    else outputs.add(target.name);
  }
  return inputs;
}

function storeDerivation(
  node: Derivation,
  inputs: Inputs,
  substitute: (text: string) => string,
  directory: string,
): StoreDerivation {
  const outputs = new Map<string, OutputSpecification>();
  const env = new Map<string, string>();
  for (const [key, value] of node.env) env.set(key, substitute(value));
  for (const name of node.outputs) {
    const output = outputSpecification(node, directory);
    outputs.set(name, output);
    env.set(name, output.kind === "deferred" ? "" : ownOutput(name, output));
  }
  return {
    name: node.name,
    outputs,
    inputDerivations: new Map([...inputs.derivations].map(([path, names]) => [path, [...names].sort()])),
    inputSources: [...inputs.sources].sort(),
    system: node.system,
    builder: substitute(node.builder),
    args: node.args.map(substitute),
    env,
  };
}

function outputSpecification(node: Derivation, directory: string): OutputSpecification {
  if (node.fixedOutput !== undefined) {
    const { mode, hash } = node.fixedOutput;
    return { kind: "fixed", mode, hash, path: fixedOutputPath(node.name, mode, hash, directory) };
  }
  return { kind: node.addressing === "content" ? "floating" : "deferred" };
}

/**
 * A token exists before any string can mention it, so what a derivation mentions never changes. Derivations live as long
 * as the process; a WeakMap of them would be work for the garbage collector and free nothing.
 */
const mentioned = new Map<Derivation, readonly TokenTarget[]>();

/** What the strings of a derivation mention. */
function derivationTargets(node: Derivation): readonly TokenTarget[] {
  const known = mentioned.get(node);
  if (known !== undefined) return known;
  const targets = new Set<TokenTarget>();
  for (const text of [node.builder, ...node.args, ...node.env.values()]) {
    for (const target of tokenTargets(text)) targets.add(target);
  }
  const list = [...targets];
  mentioned.set(node, list);
  return list;
}

function dependencies(node: Instantiable): readonly Instantiable[] {
  if (node._tag === "Source") return [];
  const targets = node._tag === "TextFile" ? tokenTargets(node.content) : derivationTargets(node);
  return targets.map((target) => ("derivation" in target ? target.derivation : target));
}

/**
 * Everything that the roots need, dependencies first. A token is a hash over
 * the tokens that it depends on, so there are no cycles.
 */
function dependencyOrder(roots: Iterable<Instantiable>): Instantiable[] {
  const order: Instantiable[] = [];
  const visited = new Set<Instantiable>();
  const path: { readonly node: Instantiable; readonly rest: Iterator<Instantiable> }[] = [];
  const enter = (node: Instantiable): void => {
    if (visited.has(node)) return;
    visited.add(node);
    path.push({ node, rest: dependencies(node)[Symbol.iterator]() });
  };
  for (const root of roots) {
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.next();
      if (next.done !== true) enter(next.value);
      else {
        order.push(top.node);
        path.pop();
      }
    }
  }
  return order;
}

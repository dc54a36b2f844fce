import { printAterm } from "./aterm.ts";
import { outputPlaceholder } from "./placeholder.ts";
import { type DerivationPath, type HashMode, type StorePath, storeDirectory, textPath } from "./store-path.ts";
import { type Hash, sha256 } from "./hash.ts";

/** How the path of an output is determined. */
export type OutputSpecification =
  /** By the derivation and everything it depends on. */
  | { readonly kind: "input-addressed"; readonly path: StorePath }
  /** By a hash known in advance. */
  | { readonly kind: "fixed"; readonly mode: HashMode; readonly hash: Hash; readonly path: StorePath }
  /** By the content that the build gives: known only afterwards. */
  | { readonly kind: "floating" }
  /** Input-addressed, but an input is floating: known once that is built. */
  | { readonly kind: "deferred" };

/** What a `.drv` file says. Everything in it is hashed. */
export interface StoreDerivation {
  /** From the file's name, without `.drv`. */
  readonly name: string;
  readonly outputs: ReadonlyMap<string, OutputSpecification>;
  /** Which outputs of which derivations it needs. */
  readonly inputDerivations: ReadonlyMap<DerivationPath, readonly string[]>;
  readonly inputSources: readonly StorePath[];
  readonly system: string;
  readonly builder: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
}

/** The path of an output, or undefined as long as it depends on what a build gives. */
export function knownOutputPath(output: OutputSpecification): StorePath | undefined {
  return output.kind === "input-addressed" || output.kind === "fixed" ? output.path : undefined;
}

/** What stands for an output in the derivation's own environment: its path, or a placeholder. */
export function ownOutput(name: string, output: OutputSpecification): string {
  return knownOutputPath(output) ?? outputPlaceholder(name);
}

/** The hash that the only output must have, if the derivation is a fixed-output one. */
export function fixedOutputOf(
  derivation: StoreDerivation,
): (OutputSpecification & { readonly kind: "fixed" }) | undefined {
  const output = derivation.outputs.get("out");
  return output?.kind === "fixed" && derivation.outputs.size === 1 ? output : undefined;
}

/** The store paths that the `.drv` file refers to. */
export function derivationReferences(derivation: StoreDerivation): StorePath[] {
  return [...derivation.inputSources, ...derivation.inputDerivations.keys()].sort();
}

/** The path of the `.drv` file; `text` saves printing it again. */
export function derivationPath(
  derivation: StoreDerivation,
  text: string = printAterm(derivation),
  directory: string = storeDirectory,
): DerivationPath {
  const references = derivationReferences(derivation);
  return textPath(`${derivation.name}.drv`, sha256(text), references, directory) as DerivationPath;
}

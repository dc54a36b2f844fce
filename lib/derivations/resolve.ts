import { MissingInputError } from "./errors.ts";
import { maskedHash } from "./hash-modulo.ts";
import { inputPlaceholder } from "./placeholder.ts";
import { type OutputSpecification, ownOutput, type StoreDerivation } from "./store-derivation.ts";
import { type DerivationPath, inputAddressedPath, type StorePath, storeDirectory } from "./store-path.ts";

/** The store path of each built output of each input. */
export type InputOutputs = ReadonlyMap<DerivationPath, ReadonlyMap<string, StorePath>>;

/**
 * The derivation that depends on what its inputs gave instead of on how they were
 * made: placeholders become paths, input derivations become input sources. Two
 * derivations that differ only in how they came to the same inputs resolve to
 * one, which is what early cut-off rests on.
 *
 * @throws MissingInputError if an output that it needs is not in `inputOutputs`
 */
export function resolve(
  derivation: StoreDerivation,
  inputOutputs: InputOutputs,
  directory: string = storeDirectory,
): StoreDerivation {
  if (derivation.inputDerivations.size === 0) return derivation;
  const rewrites = new Map<string, string>();
  const sources = new Set<StorePath>(derivation.inputSources);
  for (const [input, outputs] of derivation.inputDerivations) {
    for (const output of outputs) {
      const path = inputOutputs.get(input)?.get(output);
      if (path === undefined) throw new MissingInputError(derivation.name, input, output);
      rewrites.set(inputPlaceholder(input, output), path);
      sources.add(path);
    }
  }
  const rewrite = (text: string): string =>
    text.replace(placeholderPattern, (placeholder) => rewrites.get(placeholder) ?? placeholder);
  const resolved: StoreDerivation = {
    ...derivation,
    inputDerivations: new Map(),
    inputSources: [...sources].sort(),
    builder: rewrite(derivation.builder),
    args: derivation.args.map(rewrite),
    env: new Map([...derivation.env].map(([key, value]) => [rewrite(key), rewrite(value)])),
  };
  return withDeferredOutputs(resolved, () => "", directory);
}

/** `/` and 52 base-32 characters: a placeholder, or a token of an evaluation. */
export const placeholderPattern = /\/[0-9a-df-np-sv-z]{52}/g;

/** Computes the output paths of an input-addressed derivation whose inputs all have known paths. */
export function withDeferredOutputs(
  derivation: StoreDerivation,
  inputHash: (input: DerivationPath) => string,
  directory: string,
): StoreDerivation {
  const deferred = [...derivation.outputs].filter(([, output]) => output.kind === "deferred");
  if (deferred.length === 0) return derivation;
  const hash = maskedHash(derivation, inputHash);
  const outputs = new Map(derivation.outputs);
  const env = new Map(derivation.env);
  for (const [name] of deferred) {
    const path = inputAddressedPath(derivation.name, name, hash, directory);
    const output: OutputSpecification = { kind: "input-addressed", path };
    outputs.set(name, output);
    env.set(name, ownOutput(name, output));
  }
  return { ...derivation, outputs, env };
}

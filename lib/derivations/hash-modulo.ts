import { printAterm, replaceInputs } from "./aterm.ts";
import { sha256Hex } from "./hash.ts";
import { fixedOutputOf, type StoreDerivation } from "./store-derivation.ts";
import { type DerivationPath, methodAlgorithm } from "./store-path.ts";

/**
 * The hashes of a derivation in which each input is replaced by its own hash, and
 * a fixed-output input by the hash of what it gives: so that the way in which
 * something is fetched does not count. All are 64 hexadecimal digits.
 */
export interface HashModulo {
  /** What dependents hash in place of this derivation. */
  readonly asInput: string;
  /** Without the derivation's own output paths: addresses its outputs, and is the key of their realisations. */
  readonly masked: string;
}

/** `sha256:<hash modulo>!<output>`, by which the realisation of an output is found. */
export type RealisationKey = `sha256:${string}!${string}`;

/** The key of the realisation of `output`. */
export function realisationKey(hash: HashModulo, output: string): RealisationKey {
  return `sha256:${hash.masked}!${output}`;
}

/**
 * Hashes one derivation, given `asInput` of each of its inputs. Going through a
 * graph bottom-up therefore takes linear time and no recursion.
 *
 * @param text the derivation as printed, if the caller has it
 */
export function hashModulo(
  derivation: StoreDerivation,
  inputHash: (input: DerivationPath) => string,
  text?: string,
): HashModulo {
  const fixed = fixedOutputOf(derivation);
  if (fixed !== undefined) {
    const method = methodAlgorithm(fixed.mode, fixed.hash.algorithm);
    const hash = sha256Hex(`fixed:out:${method}:${fixed.hash.hex}:${fixed.path}`);
    return { asInput: hash, masked: hash };
  }
  const inputs = inputHashes(derivation, inputHash);
  const printed = text === undefined ? printAterm(derivation, { inputs }) : replaceInputs(derivation, text, inputs);
  let masked: string | undefined;
  return {
    asInput: sha256Hex(printed),
    // Only derivations that are looked up or built need it, which is few of a large graph.
    get masked() {
      return (masked ??= sha256Hex(printAterm(derivation, { inputs, mask: true })));
    },
  };
}

/** Only the masked hash: all that the output paths of an input-addressed derivation need, which are in no hash of theirs. */
export function maskedHash(derivation: StoreDerivation, inputHash: (input: DerivationPath) => string): string {
  return sha256Hex(printAterm(derivation, { inputs: inputHashes(derivation, inputHash), mask: true }));
}

function inputHashes(
  derivation: StoreDerivation,
  inputHash: (input: DerivationPath) => string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const inputs = new Map<string, Set<string>>();
  for (const [path, outputs] of derivation.inputDerivations) {
    const hash = inputHash(path);
    // Two inputs that fetch the same content have one hash; their outputs are merged.
    const merged = inputs.get(hash) ?? new Set();
    for (const output of outputs) merged.add(output);
    inputs.set(hash, merged);
  }
  return inputs;
}

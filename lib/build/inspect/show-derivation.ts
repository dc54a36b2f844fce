import { knownOutputPath, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { methodAlgorithm } from "#lib/derivations/store-path.ts";

/** What `derivation show` prints for one derivation, with Nix's names of fields. */
export interface ShownDerivation {
  readonly name: string;
  readonly system: string;
  readonly builder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly inputSrcs: readonly string[];
  readonly inputDrvs: Readonly<Record<string, readonly string[]>>;
  readonly outputs: Readonly<
    Record<string, { readonly path?: string; readonly hashAlgo?: string; readonly hash?: string }>
  >;
}

/** A derivation as plain data: sorted, ready for JSON. */
export function showDerivation(derivation: StoreDerivation): ShownDerivation {
  const { name, system, builder, args, env, inputSources, inputDerivations, outputs } = derivation;
  return {
    name,
    system,
    builder,
    args,
    env: sortedRecord(env, (value) => value),
    inputSrcs: [...inputSources].sort(),
    inputDrvs: sortedRecord(inputDerivations, (names) => [...names].sort()),
    outputs: sortedRecord(outputs, (output) => {
      const path = knownOutputPath(output);
      return {
        ...(path !== undefined && { path }),
        ...(output.kind === "fixed" && {
          hashAlgo: methodAlgorithm(output.mode, output.hash.algorithm),
          hash: output.hash.hex,
        }),
        ...(output.kind === "floating" && { hashAlgo: "r:sha256" }),
      };
    }),
  };
}

const sortedRecord = <Value, Shown>(
  map: ReadonlyMap<string, Value>,
  show: (value: Value) => Shown,
): Record<string, Shown> =>
  Object.fromEntries(
    [...map].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => [key, show(value)]),
  );

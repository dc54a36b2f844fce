import type { Derivation } from "#lib/derivations/derivation.ts";
import { type HashModulo, realisationKey } from "#lib/derivations/hash-modulo.ts";
import { type Instantiable, instantiate, type Instantiation, referencedSources } from "#lib/derivations/instantiate.ts";
import type { Source } from "#lib/derivations/source.ts";
import { knownOutputPath, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { EngineEvent } from "#lib/platform/events.ts";
import type { StoreReader } from "#lib/store/store-reader.ts";

/*
 * Whether there is anything to build at all. That is what most runs ask and nothing else, so this is plain asynchronous
 * code: a command that finds everything built loads neither Effect's fibers nor what builds.
 */

/** Some roots in their final form. */
export interface InstantiatedSources {
  readonly instantiation: Instantiation;
  readonly sourcePaths: ReadonlyMap<Source, StorePath>;
}

/** How many sources are hashed at once. */
const concurrency = 4;

/**
 * Hashes the sources that the roots mention, and computes every `.drv` file. Nothing is written.
 *
 * @throws DerivationError, StoreError
 */
export async function instantiateSources(
  reader: Pick<StoreReader, "sourcePath">,
  roots: readonly Instantiable[],
  signal?: AbortSignal,
): Promise<InstantiatedSources> {
  const sourcePaths = new Map<Source, StorePath>();
  const waiting = referencedSources(roots).values();
  const hash = async (): Promise<void> => {
    for (const source of waiting) sourcePaths.set(source, await reader.sourcePath(source, signal));
  };
  await Promise.all(Array.from({ length: concurrency }, hash));
  return { instantiation: instantiate(roots, sourcePaths), sourcePaths };
}

/** What is asked about outputs. */
export type OutputLookup = Pick<StoreReader, "info" | "realisation">;

/** The valid store path of one output, or undefined if it has to be built. */
export async function findOutput(
  reader: OutputLookup,
  derivation: StoreDerivation,
  hashModulo: HashModulo,
  output: string,
): Promise<StorePath | undefined> {
  const specification = derivation.outputs.get(output);
  const known = specification === undefined ? undefined : knownOutputPath(specification);
  if (known !== undefined) return (await reader.info(known)) === undefined ? undefined : known;
  return (await reader.realisation(realisationKey(hashModulo, output)))?.path;
}

/** What is told when nothing is left to do. */
export const nothingToDo: EngineEvent = { type: "plan", builds: 0, fetches: 0, downloadBytes: 0 };

/** For each root the store path of each output. */
export type RootOutputs = ReadonlyMap<Derivation, ReadonlyMap<string, StorePath>>;

/** The outputs of the roots, if every one of them is in the store: then nothing is left to do. */
export async function findRootOutputs(
  reader: OutputLookup,
  instantiation: Instantiation,
  roots: readonly Derivation[],
): Promise<RootOutputs | undefined> {
  const found = new Map<Derivation, ReadonlyMap<string, StorePath>>();
  for (const root of roots) {
    const instantiated = instantiation.derivations.get(root);
    if (instantiated === undefined) throw new TypeError(`the root ${root.name} is not instantiated`);
    const outputs = new Map<string, StorePath>();
    for (const name of root.outputs) {
      const path = await findOutput(reader, instantiated.store, instantiated.hashModulo, name);
      if (path === undefined) return undefined;
      outputs.set(name, path);
    }
    found.set(root, outputs);
  }
  return found;
}

import { equalHashes, type Hash } from "#lib/derivations/hash.ts";
import {
  contentAddress,
  type DerivationPath,
  fixedOutputPath,
  type HashMode,
  hashPart,
  sourceStorePath,
  type StorePath,
} from "#lib/derivations/store-path.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ForbiddenReferenceError, OutputHashError, OutputTypeError, SelfReferenceError } from "./errors.ts";
import { Hasher, hashTree } from "./hash-tree.ts";
import type { PathInfo } from "./path-info.ts";
import { ReferenceScanner } from "./reference-scanner.ts";
import { Canonicalisation } from "./tree.ts";
import { bytePath, printablePath } from "./tree-files.ts";

/** What a build gave, and what is known about it. */
export interface OutputRegistration {
  /** Name in the output's store path: the derivation's, and `-<output>` unless that is `out`. */
  readonly name: string;
  /** Where it was built: a file, link or directory on the store's file system, which is moved away. */
  readonly directory: string;
  /** What it may refer to: the closure of the inputs, and outputs of the same derivation. */
  readonly candidates: Iterable<StorePath>;
  /** The store path that the output had during the build, if it had one: it may not be mentioned. */
  readonly scratch?: StorePath;
  /** The content that was promised. */
  readonly expected?: { readonly mode: HashMode; readonly hash: Hash };
  readonly deriver?: DerivationPath;
}

/**
 * Makes an output canonical and finds out its hash, its references and thereby its
 * path: all in one reading of the tree.
 *
 * @throws UnsupportedFileError, OutputTypeError, OutputHashError, SelfReferenceError, ForbiddenReferenceError
 */
export async function examineOutput(
  fs: FileSystemShape,
  registration: OutputRegistration,
  signal: AbortSignal | undefined,
): Promise<PathInfo> {
  const { name, directory, scratch, expected, deriver } = registration;
  if (expected?.mode === "flat") await checkPlainFile(fs, name, directory);
  const candidates = new Map<string, StorePath>();
  for (const path of registration.candidates) candidates.set(hashPart(path), path);
  const scanner = new ReferenceScanner([...candidates.keys(), ...(scratch === undefined ? [] : [hashPart(scratch)])]);
  const promised = expected === undefined ? undefined : new Hasher(expected.hash.algorithm);
  const canonicalisation = new Canonicalisation(fs, directory);
  const nar = await hashTree(
    fs,
    directory,
    {
      preparation: canonicalisation,
      signal,
      ...(expected?.mode === "flat" && { onData: (data: Uint8Array) => promised?.update(data) }),
    },
    (chunk) => {
      scanner.update(chunk);
      if (expected?.mode === "recursive") promised?.update(chunk);
    },
  );
  await canonicalisation.breakForeignLinks();

  const own = scratch === undefined ? undefined : scanner.found.get(hashPart(scratch));
  if (own !== undefined) {
    throw new SelfReferenceError({ output: name, file: await fileAt(fs, directory, own) });
  }
  const references = [...scanner.found.keys()].flatMap((part) => candidates.get(part) ?? []).sort();
  const common = { narHash: nar.hash, narSize: nar.size, references, ...(deriver !== undefined && { deriver }) };
  if (expected === undefined || promised === undefined) {
    const path = sourceStorePath(name, nar.hash, references);
    return { path, ...common, contentAddress: contentAddress("recursive", nar.hash) };
  }
  const actual = promised.digest();
  if (!equalHashes(actual, expected.hash)) throw new OutputHashError({ output: name, expected: expected.hash, actual });
  if (references.length > 0) throw new ForbiddenReferenceError({ output: name, references });
  const path = fixedOutputPath(name, expected.mode, expected.hash);
  return { path, ...common, contentAddress: contentAddress(expected.mode, expected.hash) };
}

async function checkPlainFile(fs: FileSystemShape, name: string, path: string): Promise<void> {
  const stats = await fs.promises.lstat(path);
  if (stats.isDirectory()) throw new OutputTypeError({ output: name, found: "a directory" });
  if (stats.isSymbolicLink()) throw new OutputTypeError({ output: name, found: "a symbolic link" });
  if ((stats.mode & 0o100) !== 0) throw new OutputTypeError({ output: name, found: "an executable file" });
}

/** Which file of a tree the byte at `offset` of its NAR belongs to. */
async function fileAt(fs: FileSystemShape, tree: string, offset: number): Promise<string> {
  let file = "";
  await hashTree(fs, tree, {
    onEntry: (path, start) => {
      if (start <= offset) file = printablePath(path.slice(bytePath(tree).length + 1));
    },
  });
  return file;
}

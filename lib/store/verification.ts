import { equalHashes, formatSri, type Hash, type HashAlgorithm } from "#lib/derivations/hash.ts";
import {
  contentAddress,
  fixedOutputPath,
  hashPart,
  parseStorePath,
  sourceStorePath,
  storeDirectory,
  storePathName,
  type StorePath,
  textPath,
} from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { reasonOf } from "#lib/platform/reason.ts";
import { exists } from "./atomic-file.ts";
import { Hasher, hashTree, type NarHash } from "./hash-tree.ts";
import { infoFile, type Layout, physicalPath } from "./layout.ts";
import type { PathInfo } from "./path-info.ts";
import type { Sink } from "./nar-writer.ts";
import { ReferenceScanner } from "./reference-scanner.ts";
import type { Registry } from "./registry.ts";
import { type RegisteredPath, type Survey, surveyRealisations, surveyStore, usedPaths } from "./survey.ts";

/** Something in the store that is not as it should be. */
export type StoreProblem =
  /** The content is not what was registered: bit rot, or somebody wrote to it. */
  | { readonly kind: "modified"; readonly path: StorePath; readonly expected: Hash; readonly actual: Hash }
  /** The content cannot be read. */
  | { readonly kind: "unreadable"; readonly path: StorePath; readonly reason: string }
  /** Registered, but not there. */
  | { readonly kind: "missing"; readonly path: StorePath }
  /** Refers to a path that is not valid. */
  | { readonly kind: "missing-reference"; readonly path: StorePath; readonly reference: StorePath }
  /** The info file cannot be read. */
  | { readonly kind: "damaged-info"; readonly file: string }
  | { readonly kind: "damaged-realisation"; readonly file: string }
  /** In the store directory, but not registered: left by a process that was killed. */
  | { readonly kind: "unregistered"; readonly name: string };

/** One sentence for a problem. */
export function describeProblem(problem: StoreProblem): string {
  switch (problem.kind) {
    case "modified":
      return `'${problem.path}' was changed: its hash should be ${formatSri(problem.expected)} and is ${formatSri(problem.actual)}.`;
    case "unreadable":
      return `'${problem.path}' cannot be read: ${problem.reason}.`;
    case "missing":
      return `'${problem.path}' is registered, but it is gone.`;
    case "missing-reference":
      return `'${problem.path}' needs '${problem.reference}', which is not valid.`;
    case "damaged-info":
      return `the info file '${problem.file}' is damaged.`;
    case "damaged-realisation":
      return `the realisation '${problem.file}' is damaged.`;
    case "unregistered":
      return `'${problem.name}' in the store directory belongs to no valid path; 'store gc' deletes it.`;
  }
}

/** What only takes space: neither is something valid wrong, nor does anything need it. */
export const isLeftover = (problem: StoreProblem): boolean => problem.kind === "unregistered";

/** Compares everything valid with what was registered, and lists what is not valid and not about to become so. */
export async function findProblems(
  registry: Registry,
  signal?: AbortSignal,
): Promise<{ readonly survey: Survey; readonly problems: readonly StoreProblem[] }> {
  const { fs, layout } = registry;
  const found = await surveyStore(fs, layout, signal);
  // Before our own questions count as uses.
  const used = await usedPaths(fs, layout);
  // From here on nothing is collected; what was collected since the survey is left out.
  await registry.reader.protect(found.valid.keys());
  const valid = new Map<StorePath, RegisteredPath>();
  const problems: StoreProblem[] = [];
  for (const path of [...found.valid.keys()].sort()) {
    const registered = found.valid.get(path);
    const info = await registry.reader.info(path);
    if (registered !== undefined && info !== undefined) valid.set(path, { ...registered, info });
  }
  const survey: Survey = { ...found, valid };
  for (const { info } of valid.values()) {
    for (const reference of info.references) {
      const whole = valid.has(reference) || (await registry.reader.info(reference)) !== undefined;
      if (!whole) problems.push({ kind: "missing-reference", path: info.path, reference });
    }
    const problem = await checkContent(fs, layout, info, signal);
    if (problem !== undefined) problems.push(problem);
  }
  for (const name of survey.damagedInfos) problems.push({ kind: "damaged-info", file: `${layout.info}/${name}` });
  problems.push(...(await findUnregistered(registry, found, used)));
  for await (const { file, realisation } of surveyRealisations(fs, layout, signal)) {
    if (realisation === undefined) problems.push({ kind: "damaged-realisation", file });
  }
  return { survey, problems };
}

/** What is in the store directory without reason. */
async function findUnregistered(
  { fs, layout }: Registry,
  survey: Survey,
  used: ReadonlySet<StorePath>,
): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const name of [...survey.objects].sort()) {
    const path = `${storeDirectory}/${name}` as StorePath;
    if (survey.valid.has(path) || used.has(path)) continue;
    // It may have been moved away, or registered by a process that has ended, since the survey.
    if ((await exists(fs, `${layout.objects}/${name}`)) && !(await exists(fs, infoFile(layout, path)))) {
      problems.push({ kind: "unregistered", name });
    } else if (survey.damagedInfos.includes(`${name}.json`)) problems.push({ kind: "unregistered", name });
  }
  return problems;
}

async function checkContent(
  fs: FileSystemShape,
  layout: Layout,
  info: PathInfo,
  signal: AbortSignal | undefined,
): Promise<StoreProblem | undefined> {
  const { path } = info;
  try {
    const { hash } = await hashTree(fs, physicalPath(layout, path), { signal });
    return equalHashes(hash, info.narHash)
      ? undefined
      : { kind: "modified", path, expected: info.narHash, actual: hash };
  } catch (cause) {
    signal?.throwIfAborted();
    if (errorCode(cause) === "ENOENT") return { kind: "missing", path };
    // It is not the path's fault that this process may open no more files.
    if (["EMFILE", "ENFILE", "ENOMEM"].includes(errorCode(cause) ?? "")) throw cause;
    return {
      kind: "unreadable",
      path,
      reason: reasonOf(cause),
    };
  }
}

/**
 * What an unregistered path was registered with, if a repair left that and the content is still the same, or else if
 * the content proves its name: the path of what is content-addressed is a hash over all that an info file says.
 *
 * @returns the info, or undefined if the content does not give this path
 */
export async function recoverInfo(
  fs: FileSystemShape,
  layout: Layout,
  survey: Survey,
  name: string,
): Promise<PathInfo | undefined> {
  const path = storePathOf(name);
  if (path === undefined) return undefined;
  const candidates = new Map<string, StorePath>();
  for (const other of survey.objects) {
    const candidate = storePathOf(other);
    if (candidate !== undefined && candidate !== path) candidates.set(hashPart(candidate), candidate);
  }
  const scanner = new ReferenceScanner(candidates.keys());
  const content = await digestContent(fs, physicalPath(layout, path), (chunk) => scanner.update(chunk));
  const references = [...scanner.found.keys()].flatMap((part) => candidates.get(part) ?? []).sort();
  const known = survey.withdrawn.get(path);
  if (known !== undefined && equalHashes(known.narHash, content.nar.hash)) return known;
  const proof = proveContent(path, references, content);
  if (proof === undefined) return undefined;
  const { hash: narHash, size: narSize } = content.nar;
  return { path, narHash, narSize, references: proof.refers ? references : [], contentAddress: proof.address };
}

/** The digests that content addresses are made of. */
export interface ContentDigests {
  readonly nar: NarHash;
  /** Of a single file's bytes, by every algorithm; none for other trees. */
  readonly flat: readonly Hash[];
}

/** Computes all digests of a tree in one reading. */
export async function digestContent(fs: FileSystemShape, tree: string, tee?: Sink): Promise<ContentDigests> {
  if (!(await fs.promises.lstat(tree)).isFile()) return { nar: await hashTree(fs, tree, {}, tee), flat: [] };
  const algorithms: readonly HashAlgorithm[] = ["sha256", "sha512", "sha1", "md5"];
  const hashers = algorithms.map((algorithm) => new Hasher(algorithm));
  const onData = (data: Uint8Array): void => {
    for (const hasher of hashers) hasher.update(data);
  };
  const nar = await hashTree(fs, tree, { onData }, tee);
  return { nar, flat: hashers.map((hasher) => hasher.digest()) };
}

/**
 * By which content address the content gives the path, and whether that counts the references; undefined if it does not
 * give it.
 */
export function proveContent(
  path: StorePath,
  references: readonly StorePath[],
  { nar: { hash: narHash }, flat }: ContentDigests,
): { readonly address: string; readonly refers: boolean } | undefined {
  const name = storePathName(path);
  if (sourceStorePath(name, narHash, references) === path) {
    return { address: contentAddress("recursive", narHash), refers: true };
  }
  // Sources mention store paths without referring to them: nobody scans what a user wrote.
  if (sourceStorePath(name, narHash, []) === path) {
    return { address: contentAddress("recursive", narHash), refers: false };
  }
  for (const digest of flat) {
    if (digest.algorithm === "sha256") {
      const address = contentAddress("text", digest);
      if (textPath(name, digest, references) === path) return { address, refers: true };
      if (textPath(name, digest, []) === path) return { address, refers: false };
    }
    if (fixedOutputPath(name, "flat", digest) === path)
      return { address: contentAddress("flat", digest), refers: false };
  }
  return undefined;
}

function storePathOf(name: string): StorePath | undefined {
  try {
    return parseStorePath(`${storeDirectory}/${name}`);
  } catch {
    return undefined;
  }
}

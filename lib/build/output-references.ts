import { posix } from "node:path";
import { hashPart, hashPartLength, type StorePath } from "#lib/derivations/store-path.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ReferenceScanner } from "#lib/store/reference-scanner.ts";
import { makeRemovable } from "./scratch.ts";

/** An output where its builder left it. */
export interface BuiltOutput {
  /** The path that the builder was told. */
  readonly path: StorePath;
  readonly physical: string;
}

/** The outputs mention each other in a circle, so none can be addressed by its content first. */
export interface OutputCycle {
  readonly kind: "cycle";
  readonly outputs: readonly string[];
}

/**
 * The outputs in an order in which each mentions only those before it: `out` often mentions its `lib`. Each then
 * gets its final path, and what mentions it is rewritten before its own content is hashed.
 */
export async function outputOrder(
  fs: FileSystemShape,
  outputs: ReadonlyMap<string, BuiltOutput>,
): Promise<readonly string[] | OutputCycle> {
  if (outputs.size === 1) return [...outputs.keys()];
  const left = new Map<string, ReadonlySet<string>>();
  for (const [name, output] of outputs) left.set(name, await mentionedOutputs(fs, name, output, outputs));
  const order: string[] = [];
  while (left.size > 0) {
    const free = [...left].filter(([, mentions]) => [...mentions].every((mention) => !left.has(mention)));
    if (free.length === 0) return { kind: "cycle", outputs: [...left.keys()].sort() };
    for (const [name] of free) {
      order.push(name);
      left.delete(name);
    }
  }
  return order;
}

/** Which other outputs an output mentions. Mentions of itself are the store's to refuse. */
async function mentionedOutputs(
  fs: FileSystemShape,
  name: string,
  output: BuiltOutput,
  outputs: ReadonlyMap<string, BuiltOutput>,
): Promise<ReadonlySet<string>> {
  const others = new Map(
    [...outputs].filter(([other]) => other !== name).map(([other, { path }]) => [hashPart(path), other]),
  );
  const mentioned = new Set<string>();
  for await (const entry of walk(fs, output.physical)) {
    const scanner = new ReferenceScanner(others.keys());
    scanner.update(Buffer.from(`${posix.basename(entry.path)}\0`));
    if (entry.kind === "symlink") scanner.update(Buffer.from(entry.target));
    if (entry.kind === "file")
      for await (const chunk of fs.createReadStream(entry.path)) scanner.update(chunk as Buffer);
    for (const part of scanner.found.keys()) mentioned.add(others.get(part) ?? part);
  }
  return mentioned;
}

/**
 * Replaces hash parts of paths in a tree: in files and link targets, byte for byte. File names are not rewritten,
 * because their order in the tree would change with them.
 *
 * @returns the first file whose name would have to be rewritten
 */
export async function rewriteReferences(
  fs: FileSystemShape,
  directory: string,
  replacements: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (replacements.size === 0) return undefined;
  if ((await fs.promises.lstat(directory)).isDirectory()) await makeRemovable(fs, directory);
  for await (const entry of walk(fs, directory)) {
    if (
      entry.path !== directory &&
      [...replacements.keys()].some((part) => posix.basename(entry.path).includes(part))
    ) {
      return posix.relative(directory, entry.path);
    }
    if (entry.kind === "file") await rewriteFile(fs, entry.path, replacements);
    if (entry.kind === "symlink") {
      let target = entry.target;
      for (const [from, to] of replacements) target = target.replaceAll(from, to);
      if (target === entry.target) continue;
      await fs.promises.unlink(entry.path);
      await fs.promises.symlink(target, entry.path);
    }
  }
  return undefined;
}

async function rewriteFile(
  fs: FileSystemShape,
  path: string,
  replacements: ReadonlyMap<string, string>,
): Promise<void> {
  const places: { readonly offset: number; readonly to: string }[] = [];
  let offset = 0;
  let tail = Buffer.alloc(0);
  for await (const chunk of fs.createReadStream(path)) {
    const bytes = Buffer.concat([tail, chunk as Buffer]);
    for (const [from, to] of replacements) {
      for (let index = bytes.indexOf(from); index >= 0; index = bytes.indexOf(from, index + 1)) {
        places.push({ offset: offset + index, to });
      }
    }
    // A whole hash part does not fit into what is carried over, so no place is found twice.
    tail = bytes.subarray(Math.max(0, bytes.length - hashPartLength + 1));
    offset += bytes.length - tail.length;
  }
  if (places.length === 0) return;
  const { mode } = await fs.promises.stat(path);
  await fs.promises.chmod(path, mode | 0o200);
  const file = await fs.promises.open(path, "r+");
  try {
    for (const place of places) await file.write(place.to, place.offset, "latin1");
  } finally {
    await file.close();
  }
  await fs.promises.chmod(path, mode & 0o777);
}

type Entry =
  | { readonly kind: "file" | "directory" | "other"; readonly path: string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string };

/** Everything at and below a path, without following links. */
async function* walk(fs: FileSystemShape, root: string): AsyncGenerator<Entry> {
  const next = [root];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const status = await fs.promises.lstat(path);
    if (status.isSymbolicLink()) yield { kind: "symlink", path, target: String(await fs.promises.readlink(path)) };
    else if (status.isDirectory()) {
      for (const name of await fs.promises.readdir(path)) next.push(posix.join(path, String(name)));
      yield { kind: "directory", path };
    } else yield { kind: status.isFile() ? "file" : "other", path };
  }
}

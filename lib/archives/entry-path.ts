import { ArchiveTooLarge, UnsafeEntry } from "./errors.ts";

/** What an archive may hold: types that exist in tar, zip and cpio alike. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

/**
 * How symbolic links are judged. In a "root" (a root file system) absolute
 * targets mean the archive's own root; in a "tree" (a source archive that will
 * lie somewhere) they would reach the host and are refused. Climbing above the
 * top by ".." is refused in both.
 */
export type LinkRule = "root" | "tree";

/**
 * An entry's name as a relative path: no leading "./", no trailing or double
 * slash, "" for the top itself. Fails for names that point anywhere else.
 */
export function normaliseEntryPath(archive: string, name: string): string {
  if (isNormal(name)) return name;
  if (name.startsWith("/")) throw new UnsafeEntry({ archive, entry: name, reason: "the path is absolute" });
  if (name.includes("\0")) throw new UnsafeEntry({ archive, entry: name, reason: "the path contains a zero byte" });
  const components: string[] = [];
  for (const component of name.split("/")) {
    if (component === "" || component === ".") continue;
    if (component === "..") throw new UnsafeEntry({ archive, entry: name, reason: "the path contains '..'" });
    components.push(component);
  }
  return components.join("/");
}

/** The common case, decided without splitting: nothing to strip and nothing to refuse. */
function isNormal(name: string): boolean {
  return name !== "" && !/^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)|\0/.test(name);
}

/** Refuses a symbolic link whose target leaves the tree. `path` is normalised. */
export function checkLinkTarget(archive: string, path: string, target: string, rule: LinkRule): void {
  const refuse = (reason: string): never => {
    throw new UnsafeEntry({ archive, entry: path, reason });
  };
  if (target === "") refuse("the link has no target");
  if (target.includes("\0")) refuse("the link's target contains a zero byte");
  if (target.startsWith("/")) {
    if (rule === "tree") refuse(`the link's target '${target}' is absolute`);
    return;
  }
  let depth = path.split("/").length - 1;
  for (const component of target.split("/")) {
    if (component === "" || component === ".") continue;
    depth += component === ".." ? -1 : 1;
    if (depth < 0) refuse(`the link's target '${target}' leaves the tree`);
  }
}

/**
 * Where a symbolic link points, as a normalised path from the top of the tree.
 * Follows no other link. Climbing above the root stays at the root, as the
 * kernel does.
 */
export function resolveLinkTarget(path: string, target: string): string {
  const components = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const component of target.split("/")) {
    if (component === "" || component === ".") continue;
    if (component === "..") components.pop();
    else components.push(component);
  }
  return components.join("/");
}

/**
 * Watches the entries of one archive go by and refuses names that come twice
 * (unless both are directories), entries below something that is not a
 * directory, in whichever order the two come, and hard links to anything but
 * an earlier file of the same archive.
 */
export class EntryGuard {
  readonly #archive: string;
  readonly #limit: number;
  /** Includes directories that are only implied by what lies in them. */
  readonly #seen = new Map<string, EntryType>();

  constructor(archive: string, limit = defaultEntryLimit) {
    this.#archive = archive;
    this.#limit = limit;
  }

  admit(path: string, type: EntryType, target?: string): void {
    const before = this.#seen.get(path);
    if (before !== undefined && (before !== "directory" || type !== "directory")) {
      const both = before === "directory" || type === "directory";
      this.#refuse(path, both ? "it is both a directory and something else" : "the name occurs twice");
    }
    if (path === "" && type !== "directory") this.#refuse(path, "the top of the archive is not a directory");
    if (type === "hardlink") {
      const linked = this.#seen.get(target ?? "");
      if (linked !== "file" && linked !== "hardlink") {
        this.#refuse(path, `it is a hard link to '${target}', which is not an earlier file of this archive`);
      }
    }
    this.#seen.set(path, type);
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash);
      const known = this.#seen.get(parent);
      if (known === "directory") break;
      if (known !== undefined) this.#refuse(path, `it lies below '${parent}', which is a ${known} and not a directory`);
      this.#seen.set(parent, "directory");
    }
    if (this.#seen.size > this.#limit) {
      throw new ArchiveTooLarge({ archive: this.#archive, what: "entries", limit: this.#limit });
    }
  }

  #refuse(entry: string, reason: string): never {
    throw new UnsafeEntry({ archive: this.#archive, entry, reason });
  }
}

/** What readers accept unless told otherwise. */
const defaultEntryLimit = 4_000_000;
export const defaultByteLimit = 32 * 2 ** 30;

import { resolveLinkTarget } from "./entry-path.ts";
import type { EntryType } from "./entry-path.ts";
import { LayerConflict, UnsafeEntry } from "./errors.ts";

/** Where a file's bytes are until they are written: never in memory, unless they came as text. */
export type Content =
  | { readonly in: "file"; readonly path: string; readonly offset: number }
  | { readonly in: "memory"; readonly bytes: Buffer };

/** What hard links share. */
export interface Inode {
  readonly type: Exclude<EntryType, "hardlink">;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly target?: string | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
  readonly content?: Content | undefined;
  /** Hexadecimal, where it is known already. */
  readonly sha256?: string | undefined;
}

/** One name in the tree. */
export interface RootNode {
  readonly inode: Inode;
  /** The layer that says what is here. */
  readonly layer: string;
  readonly forced: boolean;
  /** A parent directory that no layer named. */
  readonly implied: boolean;
  /** A directory whose mode or owner an overlay has said. */
  readonly stated: boolean;
}

/** How one entry meets what is there already. */
export interface Writer {
  readonly layer: string;
  /** Replaces what other layers wrote, and is not replaced by them. */
  readonly force: boolean;
  /** An overlay that says a directory's mode or owner: it may differ from an archive's, but not from another overlay's. */
  readonly states: boolean;
  /** Debian's rule for Multi-Arch: several packages may ship one file if its bytes are equal. */
  readonly sharesEqualFiles: boolean;
}

/** What `add` did. "same-if-equal": the caller must compare the two contents, and call `conflict` if they differ. */
export type Added = "added" | "replaced" | "kept" | "same-if-equal";

const directory: Inode = { type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };

/**
 * Directories that are only other names. The first four are Debian's merged
 * /usr (file-hierarchy(7)); packages may still say either name. The last two
 * live in /run since Debian 7, and base-files' maintainer script, which never
 * runs here, makes the links.
 */
const aliases: ReadonlyMap<string, string> = new Map([
  ["bin", "usr/bin"],
  ["sbin", "usr/sbin"],
  ["lib", "usr/lib"],
  ["lib64", "usr/lib64"],
  ["var/run", "run"],
  ["var/lock", "run/lock"],
]);

const linkText: ReadonlyMap<string, string> = new Map([
  ["var/run", "/run"],
  ["var/lock", "/run/lock"],
]);

/**
 * A root file system under construction: every path with the layer that wrote
 * it. Layers are added in order; the rules about two writers of one path are
 * here and nowhere else.
 */
export class RootTree {
  readonly #nodes = new Map<string, RootNode>();
  /** Paths directly in each directory. */
  readonly #children = new Map<string, Set<string>>();
  readonly #usrMerge: boolean;
  /** Aliases that some layer spoke of, with that layer. */
  readonly #spoken = new Map<string, string>();

  constructor(options: { readonly usrMerge: boolean }) {
    this.#usrMerge = options.usrMerge;
    this.#nodes.set("", { inode: directory, layer: "", forced: false, implied: true, stated: false });
  }

  get(path: string): RootNode | undefined {
    return this.#nodes.get(path);
  }

  /** All paths, sorted by code unit, parents before what is in them. */
  sorted(): readonly (readonly [string, RootNode])[] {
    return [...this.#nodes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** The path under which an entry is stored: /bin/x is /usr/bin/x in a merged tree. */
  place(path: string): string {
    if (!this.#usrMerge) return path;
    const first = path.indexOf("/");
    const head = first < 0 ? path : path.slice(0, first);
    if (head === "var") {
      const second = path.indexOf("/", first + 1);
      return this.#through(path, second < 0 ? path : path.slice(0, second));
    }
    return this.#through(path, head);
  }

  #through(path: string, head: string): string {
    const target = aliases.get(head);
    return target === undefined ? path : target + path.slice(head.length);
  }

  /** Adds one entry; `path` is normalised and not placed yet. */
  add(path: string, inode: Inode, writer: Writer): Added {
    const placed = this.place(path);
    if (placed !== path) {
      const alias = [...aliases.keys()].find((name) => path === name || path.startsWith(`${name}/`)) ?? path;
      if (!this.#spoken.has(alias)) this.#spoken.set(alias, writer.layer);
      if (path === alias) return this.#alias(path, placed, inode, writer);
    }
    this.#parents(placed, writer);
    const node: RootNode = { inode, layer: writer.layer, forced: writer.force, implied: false, stated: writer.states };
    const before = this.#nodes.get(placed);
    if (before === undefined) {
      this.#set(placed, node);
      return "added";
    }
    return this.#meet(placed, before, node, writer);
  }

  /** The error for two writers of one path. */
  conflict(path: string, layer: string, reason: string): LayerConflict {
    const placed = this.place(path);
    return new LayerConflict({ path: placed, first: this.#nodes.get(placed)?.layer ?? "", second: layer, reason });
  }

  /** Makes the links of the aliases; call once, after the last layer. */
  linkAliases(): void {
    if (!this.#usrMerge) return;
    for (const [alias, target] of aliases) {
      const spoken = this.#spoken.get(alias);
      const wanted =
        spoken !== undefined || (alias.startsWith("var/") && this.#nodes.has("var") && this.#nodes.has("run"));
      if (!wanted) continue;
      const writer = { layer: spoken ?? "usr-merge", force: false, states: false, sharesEqualFiles: false };
      if (!this.#nodes.has(target)) this.add(target, directory, writer);
      this.#parents(alias, writer);
      this.#set(alias, {
        inode: { ...directory, type: "symlink", mode: 0o777, target: linkText.get(alias) ?? target },
        layer: writer.layer,
        forced: false,
        implied: false,
        stated: false,
      });
    }
  }

  /** An entry for the alias itself says nothing about the directory that it stands for. */
  #alias(path: string, placed: string, inode: Inode, writer: Writer): Added {
    if (inode.type === "directory") return "kept";
    if (inode.type === "symlink" && resolveLinkTarget(path, inode.target ?? "") === placed) return "kept";
    throw new UnsafeEntry({
      archive: writer.layer,
      entry: path,
      reason: `in a merged-/usr tree it can only be a directory or a link to /${placed}`,
    });
  }

  #meet(path: string, before: RootNode, node: RootNode, writer: Writer): Added {
    const [old, new_] = [before.inode, node.inode];
    if (old.type === "directory" && new_.type === "directory") {
      if (before.implied) {
        this.#nodes.set(path, node);
        return "kept";
      }
      if (sameOwnerAndMode(old, new_)) {
        if (writer.states) this.#nodes.set(path, { ...before, stated: true });
        return "kept";
      }
      if ((writer.states && !before.stated) || (writer.force && !before.forced)) {
        this.#nodes.set(path, node);
        return "kept";
      }
      if (before.forced && !writer.force) return "kept";
      throw this.conflict(
        path,
        node.layer,
        `the directory is ${describe(old)} in one and ${describe(new_)} in the other`,
      );
    }
    if (old.type === "symlink" && new_.type === "symlink" && old.target === new_.target) return "kept";
    if (node.forced && !before.forced) {
      if (old.type === "directory") this.#removeBelow(path);
      this.#set(path, node);
      return "replaced";
    }
    if (before.forced && !node.forced) return "kept";
    if (old.type === "file" && new_.type === "file" && writer.sharesEqualFiles) {
      if (old.size === new_.size && sameOwnerAndMode(old, new_)) return "same-if-equal";
    }
    const both = node.forced && before.forced ? ", and both are forced" : "";
    throw this.conflict(path, node.layer, `${kind(old)} in one and ${kind(new_)} in the other${both}`);
  }

  /** Makes what is missing above `path`, and refuses to write through anything but directories. */
  #parents(path: string, writer: Writer): void {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash);
      const known = this.#nodes.get(parent);
      if (known?.inode.type === "directory") return;
      if (known !== undefined) {
        throw this.conflict(
          parent,
          writer.layer,
          `${kind(known.inode)} in one and a directory (with ${path}) in the other`,
        );
      }
      this.#set(parent, { inode: directory, layer: writer.layer, forced: false, implied: true, stated: false });
    }
  }

  #set(path: string, node: RootNode): void {
    this.#nodes.set(path, node);
    if (path === "") return;
    const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    const siblings = this.#children.get(parent);
    if (siblings === undefined) this.#children.set(parent, new Set([path]));
    else siblings.add(path);
  }

  #removeBelow(path: string): void {
    const pending = [...(this.#children.get(path) ?? [])];
    this.#children.delete(path);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const child of this.#children.get(next) ?? []) pending.push(child);
      this.#children.delete(next);
      this.#nodes.delete(next);
    }
  }
}

function sameOwnerAndMode(a: Inode, b: Inode): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function describe(inode: Inode): string {
  return `${inode.mode.toString(8).padStart(4, "0")} ${inode.uid}:${inode.gid}`;
}

function kind(inode: Inode): string {
  switch (inode.type) {
    case "file":
      return `a file of ${inode.size} bytes`;
    case "directory":
      return "a directory";
    case "symlink":
      return `a link to ${inode.target}`;
    default:
      return `a ${inode.type} node`;
  }
}

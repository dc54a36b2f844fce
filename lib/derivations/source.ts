import { isAbsolute, resolve as resolvePath } from "node:path";
import { DerivationAttributeError } from "./errors.ts";
import { nameProblem } from "./store-path.ts";
import { intern, makeToken, Tokened } from "./token.ts";

/** Which local file or directory becomes a store object. */
export interface SourceOptions {
  /** Absolute path on this machine. It is not hashed, only the content is. */
  readonly path: string;
  /** Name in the store; the file name by default. */
  readonly name?: string;
  /** Only these files and directories, relative to `path`; everything by default. */
  readonly include?: readonly string[];
  /** Leaves out `.git` and what the tree's `.gitignore` files name: what a build by hand has left is no source. */
  readonly gitignore?: boolean;
}

class SourceValue extends Tokened {
  readonly _tag = "Source";
  readonly path: string;
  readonly name: string;
  readonly include: readonly string[] | undefined;
  readonly gitignore: boolean;

  constructor(
    { path, name, include, gitignore }: Pick<SourceValue, "path" | "name" | "include" | "gitignore">,
    token: string,
  ) {
    super(token);
    this.path = path;
    this.name = name;
    this.include = include;
    this.gitignore = gitignore;
    Object.freeze(this);
  }
}

/** A local file or directory tree. Made by `source`. */
export type Source = SourceValue;

/**
 * A local file or directory tree, which is copied to the store when it is needed.
 *
 * @example
 * source({ path: join(import.meta.dirname, "engine"), include: ["Cargo.toml", "src"] })
 * @throws DerivationAttributeError
 */
export function source(options: SourceOptions): Source {
  const path = resolvePath(options.path);
  const name = options.name ?? path.slice(path.lastIndexOf("/") + 1);
  if (!isAbsolute(options.path)) throw new DerivationAttributeError(name, "path", `'${options.path}' is not absolute`);
  const problem = nameProblem(name);
  if (problem !== undefined) {
    throw new DerivationAttributeError(
      name,
      "name",
      `the name of the source '${path}' ${problem}; give it another 'name'`,
    );
  }
  const include = options.include === undefined ? undefined : [...new Set(options.include.map(relative(name)))].sort();
  const gitignore = options.gitignore ?? false;
  const token = makeToken(["source", path, name, include ?? null, gitignore]);
  return intern(token, () => new SourceValue({ path, name, include, gitignore }, token));
}

/** Normalises one entry of `include`; it must stay inside the tree. */
function relative(name: string): (entry: string) => string {
  return (entry) => {
    const parts = entry.split("/").filter((part) => part !== "" && part !== ".");
    if (entry.startsWith("/") || parts.includes("..") || parts.length === 0) {
      throw new DerivationAttributeError(name, "include", `'${entry}' is not a path below the source`);
    }
    return parts.join("/");
  };
}

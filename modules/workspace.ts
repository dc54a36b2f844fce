import { dirname, isAbsolute, join, normalize } from "node:path";
import { defineModule, mkDefault, mkOption, type Module, types } from "#lib/evaluator/index.ts";

const options = {
  workspace: {
    root_dir: mkOption({
      type: types.nullOr(types.str),
      default: null,
      example: "/srv/tree",
      description:
        "Absolute local directory that relative paths of `program` and `stage` start at; the flake's by default. Elsewhere, `import.meta.dirname` of a module.",
    }),
    paths: mkOption({
      type: types.attrsOf(types.str),
      default: {},
      example: { assets: "assets", shared: "/srv/shared" },
      description:
        "Short names of local directories, absolute or below `root_dir`; `@assets/x` in a path stands for a file below.",
    }),
    build_dir: mkOption({
      type: types.strMatching("(?!(.*/)?[.][.](/|$)).+"),
      readBy: "nobody: accepted from existing trees",
      default: "build",
      example: "build",
      description: "Accepted from existing trees, without effect: builds run in the sandbox's /build.",
    }),
    out_dir: mkOption({
      type: types.strMatching("(?!(.*/)?[.][.](/|$)).+"),
      readBy: "nobody: accepted from existing trees",
      default: "out",
      example: "output",
      description:
        "Accepted from existing trees, without effect: outputs are in the store, and `./result` leads to them.",
    }),
    clean: mkOption({
      type: types.enum(["none", "build", "out", "all"]),
      default: "none",
      description:
        "What was deleted before a build. Every build starts from nothing here, so all but `none` only warns.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    workspace: typeof options;
  }
}

/** Where local files are. */
export default defineModule({
  name: "workspace",
  options,
  config: {
    warnings: (config) =>
      config.workspace.clean === "none"
        ? []
        : [
            `workspace.clean = "${config.workspace.clean}" has no effect: every build starts from nothing, and the store keeps only what is reachable after a collection.`,
          ],
    assertions: (config) => {
      const { root_dir, paths } = config.workspace;
      return [
        {
          assertion: root_dir === null || isAbsolute(root_dir),
          message: `workspace.root_dir: '${root_dir ?? ""}' is not absolute. Write import.meta.dirname in front.`,
        },
        ...Object.keys(paths).map((name) => ({
          assertion: /^[A-Za-z0-9_-]+$/.test(name) && !["root", "build", "out", libraryAlias].includes(name),
          message: `workspace.paths: '${name}' cannot be a name: it must have only letters, digits, _ and -, and be none of root, build, out, ${libraryAlias}.`,
        })),
      ];
    },
  },
});

/** Where relative local paths start unless a module says otherwise. */
export function workspaceAt(directory: string): Module {
  return defineModule({ name: "the flake's directory", config: { workspace: { root_dir: mkDefault(directory) } } });
}

/** The directory of this repository, as paths say it: `@helios-flake/pkgs/…`. */
export const libraryAlias = "helios-flake";
/** The same, as it is here. */
export const libraryDirectory: string = dirname(import.meta.dirname);

/** What `workspacePath` reads of a configuration. */
export interface Workspace {
  readonly root_dir: string | null;
  readonly paths: Readonly<Record<string, string>>;
}

/**
 * The absolute form of a local path: as it is, below `@alias`, or below
 * `workspace.root_dir`. `@helios-flake` is this repository. Undefined when an alias or the root is not known.
 */
export function workspacePath({ root_dir, paths }: Workspace, path: string): string | undefined {
  if (isAbsolute(path)) return path;
  if (!path.startsWith("@")) return root_dir === null ? undefined : normalize(join(root_dir, path));
  const [alias = "", ...rest] = path.slice(1).split("/");
  const directory = alias === libraryAlias ? libraryDirectory : alias === "root" ? root_dir : paths[alias];
  if (directory === undefined || directory === null) return undefined;
  const base = isAbsolute(directory) ? directory : root_dir === null ? undefined : join(root_dir, directory);
  return base === undefined ? undefined : normalize(join(base, ...rest));
}

/** Why `workspacePath` gives nothing. */
export function workspaceProblem({ paths }: Workspace, path: string): string {
  if (!path.startsWith("@"))
    return `'${path}' is relative, and workspace.root_dir is not set. Set it to import.meta.dirname, or write that in front.`;
  return `'${path}' starts with an alias that workspace.paths does not have. It has: ${Object.keys(paths).join(", ") || "none"}; ${libraryAlias}; and root, when workspace.root_dir is set.`;
}

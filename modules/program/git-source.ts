import { mkOption, types } from "#lib/evaluator/index.ts";
import { gitTree } from "#pkgs/git-tree.ts";
import { removed } from "../removed.ts";

const floating = "What it names moves, and so would the build. Name a commit in rev.";

/** `program.rust.artifacts.*.source`: sources that are not on this machine. */
export const gitSource = {
  kind: mkOption({ type: types.enum(["git"]), default: "git", description: "Where the sources come from." }),
  repo: mkOption({
    type: types.strMatching("\\S+"),
    example: "https://git.example.org/engine.git",
    description: "URL of the repository.",
  }),
  rev: mkOption({
    type: types.strMatching("[0-9a-f]{40}|[0-9a-f]{64}"),
    example: "0f3a9c1e5b7d2468ace013579bdf02468ace1357",
    description: "Full hash of the commit.",
  }),
  hash: mkOption({
    type: types.nullOr(types.strMatching("sha256-[A-Za-z0-9+/]{43}=")),
    default: null,
    example: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    description: "Hash of the commit's files. Without it the first build fails, and tells which one it is.",
  }),
  subdir: mkOption({
    type: types.nullOr(types.strMatching("(?!(.*/)?[.][.](/|$))[^/\\n][^\\n]*")),
    default: null,
    example: "backend",
    description: "Directory of the Cargo workspace, relative to the repository.",
  }),
  ref: removed(floating),
  branch: removed(floating),
  update: removed("A commit never changes, so there is nothing to update."),
  shallow: removed("Nothing but the commit is fetched where the server allows that."),
};

/** What the options of a source say. */
interface GitSource {
  readonly repo: string;
  readonly rev: string;
  readonly hash: string | null;
  readonly subdir: string | null;
}

/** A string that stands for the sources in the store. */
export function gitDirectory(name: string, { repo, rev, hash, subdir }: GitSource): string {
  const tree = gitTree({ name: `${name}-source`, url: repo, revision: rev, ...(hash === null ? {} : { hash }) });
  return subdir === null ? `${tree}` : `${tree}/${subdir}`;
}

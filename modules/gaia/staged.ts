/** Files and units of a tree, in the form that `stage` takes them. */
import { existsSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { fatPathProblem } from "#pkgs/image/fat-path.ts";
import { lookAt, modeOf } from "../local-files/local-file.ts";
import { type GaiaTree, type KeyPath, type Table, textOf } from "./tree.ts";

/** The root file system that a tree starts from has to be there, of the kind that its key says. */
export function checkStartingPoint(tree: GaiaTree): void {
  for (const key of ["rootfs_tar", "rootfs_dir", "image"] as const) {
    const at = ["buildroot", "starting_point", key];
    const written = tree.value(at);
    if (typeof written !== "string") continue;
    if (written.trim() === "") {
      tree.tolerate({ path: at, problem: "an empty path", suggestions: [] });
      tree.remove(at);
      continue;
    }
    const found = lookUp(tree, written, at);
    const isDirectory = found?.stats.isDirectory();
    if (isDirectory === undefined || isDirectory === (key === "rootfs_dir")) continue;
    const problem = isDirectory ? `${written} is a directory: name it as rootfs_dir` : `${written} is no directory`;
    tree.report({ path: at, problem, suggestions: [] });
  }
}

/** The names of files on the boot partition are paths that it can have. */
export function checkBootFiles(tree: GaiaTree): void {
  for (const [key] of tree.entries("boot", "files")) {
    const problem = fatPathProblem(key);
    if (problem !== undefined) tree.report({ path: ["boot", "files", key], problem, suggestions: [] });
  }
}

/** Fills in what Gaia sees when it copies: whether a source is a directory, whether it is executable, which file an asset is. */
export function prepareStage(tree: GaiaTree): void {
  for (const [path, file] of tree.tables("stage", "files")) prepareFile(tree, path, file);
  for (const [key, unit] of tree.entries("stage", "services", "units")) {
    if (unit["enabled"] !== false) prepareUnit(tree, ["stage", "services", "units", key], unit);
  }
}

function prepareFile(tree: GaiaTree, path: KeyPath, file: Table): void {
  const src = textOf(file["src"]);
  if (src === undefined) return;
  if (file["content"] !== undefined) {
    tree.tolerate({ path: [...path, "src"], problem: "content is set as well, and wins", suggestions: [] });
    tree.remove([...path, "src"]);
    return;
  }
  const found = lookUp(tree, src, [...path, "src"]);
  if (found === undefined) return;
  const isDirectory = found.stats.isDirectory();
  if (file["recursive"] !== undefined && file["recursive"] !== isDirectory) {
    const problem = `${src} is ${isDirectory ? "a" : "no"} directory, so this is to be ${isDirectory}, or left away`;
    tree.tolerate({ path: [...path, "recursive"], problem, suggestions: [] });
  }
  if (isDirectory || file["recursive"] !== undefined) file["recursive"] = isDirectory;
  file["mode"] ??= isDirectory ? "0755" : modeOf(found.path);
}

function prepareUnit(tree: GaiaTree, path: KeyPath, unit: Table): void {
  const src = textOf(unit["src"]);
  const found = src === undefined ? undefined : lookUp(tree, src, [...path, "src"]);
  if (found?.stats.isDirectory() === true)
    tree.report({ path: [...path, "src"], problem: `${found.path} is a directory, not a unit file`, suggestions: [] });
  for (const [at, asset] of tree.tables(...path, "assets")) {
    const source = textOf(asset["src"]);
    if (source === undefined) continue;
    asset["src"] = beside(tree, source, found?.path) ?? source;
    const file = lookUp(tree, String(asset["src"]), [...at, "src"]);
    if (file !== undefined) asset["mode"] ??= modeOf(file.path);
  }
}

/** An asset that is not where its path says lies beside the unit file. */
function beside(tree: GaiaTree, source: string, unit: string | undefined): string | undefined {
  if (unit === undefined || /^[/@]/.test(source) || source.split("/").includes("..")) return undefined;
  const root = tree.value(["workspace", "root_dir"]);
  if (typeof root === "string" && existsSync(join(root, source))) return undefined;
  const sibling = join(dirname(unit), source);
  return existsSync(sibling) ? sibling : undefined;
}

/** The local file of a path in a document, and what it is; undefined, and a problem, if it is not there. */
export function lookUp(
  tree: GaiaTree,
  src: string,
  at: KeyPath,
): { readonly path: string; readonly stats: Stats } | undefined {
  const path = tree.resolve(src, at);
  if (path === undefined) return undefined;
  const found = lookAt(path, String(tree.value(["workspace", "root_dir"])));
  if ("stats" in found) return { path, stats: found.stats };
  tree.report({ path: at, problem: found.problem, suggestions: [] });
  return undefined;
}

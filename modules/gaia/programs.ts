/** Programs of a tree, in the form that `program` takes them. */
import { existsSync, statSync } from "node:fs";
import { extname, relative } from "node:path";
import { lookAt } from "../local-files/local-file.ts";
import { builtInEnvironments, groups } from "../program/artifacts.ts";
import { type GaiaTree, isTable, type KeyPath, type Table, textOf } from "./tree.ts";

/** Where a build puts what it makes, and how a container is made for it: the sandbox decides that. */
const placeVariables = ["CARGO_TARGET_DIR", "DOCKERFILE", "DOCKER_CONTEXT"] as const;

/** Fills in what Gaia takes from the disk and from its own defaults, and takes out what the sandbox decides. */
export function preparePrograms(tree: GaiaTree): void {
  for (const [name] of tree.entries("program", "profiles")) prepareProfile(tree, ["program", "profiles", name]);
  for (const group of groups) {
    const table = tree.table("program", group);
    if (table === undefined) continue;
    table["workspace_dir"] ??= ".";
    for (const [path, artifact] of tree.tables("program", group, "artifacts")) {
      withoutPlaces(artifact["env"]);
      preparePrebuilt(tree, path, artifact);
      const workspace = textOf(table["workspace_dir"]) ?? ".";
      const output = prepareOutput(tree, path, artifact, workspace);
      // It has to be known whether a result is a directory.
      if (group === "custom" && output !== undefined) artifact["kind"] ??= kindOf(tree, artifact, output);
    }
  }
}

/** A container is not what builds run in here; its name may be that of an environment. */
function prepareProfile(tree: GaiaTree, path: KeyPath): void {
  const profile = tree.table(...path) ?? {};
  withoutPlaces(profile["env"]);
  const image = textOf(profile["container_image"]);
  const known: readonly string[] = [
    ...builtInEnvironments,
    ...Object.keys(tree.table("program", "environments") ?? {}),
  ];
  if (image === undefined || known.includes(image)) return;
  const at = [...path, "container_image"];
  tree.warn(
    at,
    `there is no environment '${image}', so builds run in the environments that are built in; declare it in program.environments if they will not do`,
  );
  tree.remove(at);
}

function withoutPlaces(env: unknown): void {
  if (isTable(env)) for (const name of placeVariables) Reflect.deleteProperty(env, name);
}

/** In mode auto, Gaia builds what is not there. */
function preparePrebuilt(tree: GaiaTree, path: KeyPath, artifact: Table): void {
  const prebuilt = textOf(artifact["prebuilt_path"]);
  if (prebuilt === undefined || (artifact["mode"] ?? "auto") !== "auto") return;
  const file = tree.resolve(prebuilt, [...path, "prebuilt_path"]);
  if (file !== undefined && !existsSync(file)) tree.remove([...path, "prebuilt_path"]);
}

/** Paths start at the sources here. Gives the absolute one. */
function prepareOutput(tree: GaiaTree, path: KeyPath, artifact: Table, workspace: string): string | undefined {
  const output = textOf(artifact["output_path"]);
  if (output === undefined) return undefined;
  const file = tree.resolve(output, [...path, "output_path"]);
  const directory = textOf(artifact["workspace_dir"]) ?? textOf(artifact["cwd"]) ?? workspace;
  const sources = tree.resolve(directory, [...path, "cwd"]);
  if (file === undefined || sources === undefined) return undefined;
  artifact["output_path"] = relative(sources, file);
  if (relative(sources, file).startsWith("..")) reportOutput(tree, path, artifact, { file, sources });
  return file;
}

/** A directory that is not there is what is wrong, rather than that the result is not below it. */
function reportOutput(
  tree: GaiaTree,
  path: KeyPath,
  artifact: Table,
  { file, sources }: { readonly file: string; readonly sources: string },
): void {
  const found = lookAt(sources, String(tree.value(["workspace", "root_dir"])));
  const key = ["workspace_dir", "cwd"].find((each) => textOf(artifact[each]) !== undefined);
  tree.report(
    "problem" in found && key !== undefined
      ? { path: [...path, key], problem: found.problem, suggestions: [] }
      : {
          path: [...path, "output_path"],
          problem: `${file} is not below ${sources}, where the command runs`,
          suggestions: [],
        },
  );
}

/** What is there already shows it; otherwise a name with a dot, or a mode where it is installed, is a file's. */
function kindOf(tree: GaiaTree, artifact: Table, file: string): "file" | "dir" {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined) return found.isDirectory() ? "dir" : "file";
  const hasMode = tree
    .tables("program", "install", "items")
    .some(([, item]) => item["artifact"] === artifact["id"] && item["mode"] !== undefined);
  return extname(file) !== "" || hasMode ? "file" : "dir";
}

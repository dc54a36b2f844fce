/** Local files and directories that options name: that they are there, and what they are. */
import { tokenTargets } from "#lib/derivations/token.ts";
import { type Config, defineModule, type Place, showPlace } from "#lib/evaluator/index.ts";
import { importedTrees } from "../buildroot.ts";
import { lookAt } from "./local-file.ts";
import { type Artifact, type Group, groups, isPrebuilt, selectedArtifacts } from "../program/artifacts.ts";
import { lockProblem } from "../program/custom.ts";
import { type Workspace, workspacePath } from "../workspace.ts";

/** A file of definitions. */
export interface DefinitionFile {
  readonly file: string;
  readonly placeOf: (path: readonly string[]) => Place | undefined;
}

declare module "#lib/evaluator/config.ts" {
  interface ModuleArguments {
    /** Null where what is evaluated belongs to no directory, so that there are no files to look at. */
    readonly localFiles: { readonly document: DefinitionFile | undefined } | null;
  }
}

/** A local path, as an option has it. */
interface Named {
  /** For messages. */
  readonly option: string;
  /** Of an element of a list, its `id` or `dst` stands for its position. */
  readonly at: readonly string[];
  readonly written: unknown;
  readonly kind: "file" | "directory" | "any";
  /** What to do when it is of the other kind. */
  readonly remedy?: string;
  /** What to do when it is not there. */
  readonly missing?: string;
  /** Why a file of this path will not do. */
  readonly judge?: (path: string) => string | undefined;
}

/** Says before a build what the copy to the store would find, and of which option. */
export default defineModule({
  name: "local-files",
  config: {
    assertions: (config, { localFiles, options }) => {
      // A lock is read in evaluation itself, so it has to be there in any case.
      const looked = named(config).filter(({ at }) => localFiles !== null || at.at(-1) === "npm_lock");
      return looked.flatMap((each) => {
        const problem = problemOf(config.workspace, each);
        if (problem === undefined) return [];
        const place = placeOf(options, each.at, localFiles?.document);
        return [
          { assertion: false, message: `${each.option}${place === undefined ? "" : ` (${place})`}: ${problem}.` },
        ];
      });
    },
  },
});

function named(config: Config): readonly Named[] {
  return [
    ...config.stage.files.map(
      ({ dst, src, recursive }): Named => ({
        option: `stage.files: '${dst}': src`,
        at: ["stage", "files", dst, "src"],
        written: src,
        kind: recursive ? "directory" : "file",
        remedy: recursive ? "leave recursive away" : "set recursive to copy it with everything in it",
      }),
    ),
    ...Object.entries(config.boot.files).map(
      ([path, { src }]): Named => ({
        option: `boot.files.${JSON.stringify(path)}.src`,
        at: ["boot", "files", path, "src"],
        written: src,
        kind: "file",
      }),
    ),
    ...importedTrees(config.buildroot.starting_point).map(
      ([key, written]): Named => ({
        option: `buildroot.starting_point.${key}`,
        at: ["buildroot", "starting_point", key],
        written,
        kind: key === "rootfs_dir" ? "directory" : "file",
      }),
    ),
    ...ofPrograms(config),
  ];
}

/** Only of what is switched on: the sources of other artifacts need not be there. */
function ofPrograms(config: Config): readonly Named[] {
  const { program } = config;
  const selected = selectedArtifacts(config);
  const all = groups.flatMap((group) => selected[group].map((artifact: Artifact) => ({ group, artifact })));
  const used = new Set([
    ...(program.lint.enabled && all.length > 0 ? program.lint.check_ids : []),
    ...all.flatMap(({ group, artifact }) =>
      artifact.check_ids.length > 0 ? artifact.check_ids : program[group].check_ids,
    ),
  ]);
  const usesLint = program.lint.enabled && program.lint.check_ids.length > 0 && all.length > 0;
  const shared = groups.filter((group) =>
    selected[group].some((artifact: Artifact) => !isPrebuilt(artifact) && ownDirectory(artifact) === undefined),
  );
  const directory = (option: string, at: readonly string[], written: string | null): Named => ({
    option,
    at,
    written,
    kind: "directory",
  });
  return [
    ...shared.map((group) =>
      directory(`program.${group}.workspace_dir`, ["program", group, "workspace_dir"], program[group].workspace_dir),
    ),
    ...all.flatMap(({ group, artifact }) => ofArtifact(group, artifact)),
    ...program.checks
      .filter(({ id }) => used.has(id))
      .map(({ id, cwd }) => directory(`program.checks: '${id}': cwd`, ["program", "checks", id, "cwd"], cwd)),
    ...(usesLint ? [directory("program.lint.cwd", ["program", "lint", "cwd"], program.lint.cwd)] : []),
  ];
}

function ofArtifact(group: Group, artifact: Artifact): readonly Named[] {
  const { id } = artifact;
  const of = (key: string, written: string | null, kind: Named["kind"]): Named => ({
    option: `program.${group}.artifacts: '${id}': ${key}`,
    at: ["program", group, "artifacts", id, key],
    written,
    kind,
  });
  if (isPrebuilt(artifact)) return [of("prebuilt_path", artifact.prebuilt_path, "any")];
  const [key, written] = ownDirectory(artifact) ?? ["cwd", null];
  return [
    of(key, written, "directory"),
    ...("npm_lock" in artifact
      ? [
          {
            ...of("npm_lock", artifact.npm_lock, "file"),
            missing: "'npm install --package-lock-only' writes one",
            judge: lockProblem,
          },
        ]
      : []),
  ];
}

/** The directory that an artifact names itself, with its key; sources from elsewhere have none. */
function ownDirectory(artifact: Artifact): readonly [key: string, written: string | null] | undefined {
  if ("source" in artifact && artifact.source !== null) return ["cwd", null];
  if ("workspace_dir" in artifact && artifact.workspace_dir !== null) return ["workspace_dir", artifact.workspace_dir];
  return artifact.cwd === null ? undefined : ["cwd", artifact.cwd];
}

/** Other assertions tell of paths that start nowhere. */
function problemOf(workspace: Workspace, { written, kind, remedy, missing, judge }: Named): string | undefined {
  if (typeof written !== "string" || tokenTargets(written).length > 0) return undefined;
  const path = workspacePath(workspace, written);
  if (path === undefined) return undefined;
  if (path === "/") return "it leads to /, the whole file system of this machine. Name a directory below";
  const found = lookAt(path, workspace.root_dir);
  if ("problem" in found) return missing === undefined ? found.problem : `${found.problem}. ${missing}`;
  const isDirectory = found.stats.isDirectory();
  if (kind === "any" || isDirectory === (kind === "directory")) return judge?.(path);
  const is = isDirectory ? `${path} is a directory, not a file` : `${path} is a file, not a directory`;
  return `${is}. ${remedy === undefined ? `Name a ${kind}` : remedy.replace(/^./, (letter) => letter.toUpperCase())}`;
}

/** Where the first definition is that has a path; undefined if it is somebody's default. */
function placeOf(options: unknown, at: readonly string[], document: DefinitionFile | undefined): string | undefined {
  let node = options;
  for (const [depth, key] of at.entries()) {
    node = childOf(node, key);
    if (!isOptionWithDefinitions(node)) continue;
    for (const { file, value } of node.definitionsWithLocations) {
      const inside = positionsIn(value, at.slice(depth + 1));
      if (inside === undefined) continue;
      const place = document?.file === file ? document.placeOf([...at.slice(0, depth + 1), ...inside]) : undefined;
      return place === undefined ? `in ${file}` : showPlace(place);
    }
    return undefined;
  }
  return undefined;
}

function isOptionWithDefinitions(
  node: unknown,
): node is { readonly definitionsWithLocations: readonly { readonly file: string; readonly value: unknown }[] } {
  return typeof node === "object" && node !== null && "definitionsWithLocations" in node;
}

/** The path with elements of lists by position; undefined if the value does not have it. */
function positionsIn(value: unknown, [key, ...rest]: readonly string[]): readonly string[] | undefined {
  if (key === undefined) return [];
  const position = Array.isArray(value)
    ? String(value.findIndex((each: unknown) => childOf(each, "id") === key || childOf(each, "dst") === key))
    : key;
  const child = childOf(value, position);
  if (child === undefined) return undefined;
  const below = positionsIn(child, rest);
  return below === undefined ? undefined : [position, ...below];
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

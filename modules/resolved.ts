import { join } from "node:path";
import {
  type Config,
  type DefinedValues,
  definedValues,
  defineModule,
  mkOption,
  type Module,
  types,
} from "#lib/evaluator/index.ts";
import { libraryAlias, libraryDirectory } from "./workspace.ts";

const options = {
  resolved: {
    paths: mkOption({
      type: types.nullOr(types.enum(["flake", "file"])),
      default: null,
      internal: true,
      description:
        "Set in what `resolve` prints: whether relative local paths start at the flake's directory, or at that of the file.",
    }),
    omitted: mkOption({
      type: types.listOf(types.str),
      default: [],
      internal: true,
      description: "Set in what `resolve` prints: the options whose values are not in it.",
    }),
  },
  system: {
    resolved: mkOption({
      // Made here only, so its type is taken on trust.
      type: types.opaque(
        "values of options",
        (value): value is DefinedValues => typeof value === "object" && value !== null,
      ),
      readOnly: true,
      internal: true,
      description: "What all modules and the command line say, merged, with paths relative to `workspace.root_dir`.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    resolved: typeof options;
  }
  interface ModuleArguments {
    /** Where the flake lies that the system is evaluated for, if there is one. */
    readonly flakeDirectory: string | null;
    /** The modules whose options make up the language of systems. */
    readonly vocabulary: readonly Module[];
  }
}

/** The configuration as one file would say it. */
export default defineModule({
  name: "resolved",
  options,
  config: {
    system: {
      resolved: (config, { options, vocabulary, flakeDirectory }): DefinedValues => {
        const { values, omitted: own } = definedValues(options, vocabulary);
        // What this is resolved from may have been without already.
        const omitted = [...new Set([...own, ...config.resolved.omitted])].sort();
        const { root_dir } = config.workspace;
        const paths = config.resolved.paths ?? (root_dir === null || root_dir === flakeDirectory ? "flake" : "file");
        const resolved = { paths, ...(omitted.length === 0 ? {} : { omitted }) };
        return { values: { ...portable(config, values), resolved }, omitted };
      },
    },
  },
});

/** The same on every machine: no local directory, and of inputs what they came to, wherever it was given. */
function portable(config: Config, values: DefinedValues["values"]): DefinedValues["values"] {
  const { root_dir } = config.workspace;
  const bases: readonly Base[] = [
    ...(root_dir === null ? [] : [{ directory: root_dir.replace(/(?<=.)\/+$/, ""), name: "" }]),
    { directory: libraryDirectory, name: `@${libraryAlias}` },
  ];
  const relative = withoutDirectories(values, bases) as DefinedValues["values"];
  const { root_dir: _, paths = {}, ...rest } = recordAt(relative, "workspace");
  const workspace = {
    ...rest,
    paths: Object.fromEntries(
      Object.entries(paths as object).map(([name, path]) => [name, relativeTo(bases, String(path))]),
    ),
  };
  const inputs = { ...recordAt(relative, "inputs"), values: config.inputs.resolved };
  return withoutEmpty({ ...relative, workspace, inputs });
}

/** A local directory, and how paths below it begin elsewhere. */
interface Base {
  readonly directory: string;
  readonly name: string;
}

function recordAt(values: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  return (values[key] ?? {}) as Readonly<Record<string, unknown>>;
}

/** Only groups: an empty table deeper down may mean something. */
function withoutEmpty(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, group]) => {
      if (name !== "inputs" && name !== "workspace") return [[name, group] as const];
      const filled = Object.entries(group as object).filter(([, value]) => !isEmpty(value));
      return filled.length === 0 ? [] : [[name, Object.fromEntries(filled)] as const];
    }),
  );
}

/** The names of options that hold local paths. Elsewhere the same text may well be a path of the image. */
const localPathKeys: ReadonlySet<string> = new Set([
  "cwd",
  "image",
  "npm_lock",
  "prebuilt_path",
  "rootfs_dir",
  "rootfs_tar",
  "src",
  "workspace_dir",
]);

/** The local paths in values that have to be looked for from somewhere. */
export function localPaths(value: unknown, isLocal = false): readonly string[] {
  if (typeof value === "string") return isLocal && !/^[/@]/.test(value) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each) => localPaths(each, isLocal));
  return Object.entries(value).flatMap(([key, each]) => localPaths(each, localPathKeys.has(key)));
}

/** Local paths below one of the directories become relative to the first such. */
function withoutDirectories(value: unknown, bases: readonly Base[], isLocal = false): unknown {
  if (typeof value === "string") return isLocal ? relativeTo(bases, value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => withoutDirectories(each, bases, isLocal));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withoutDirectories(each, bases, localPathKeys.has(key))]),
  );
}

function relativeTo(bases: readonly Base[], path: string): string {
  for (const { directory, name } of bases) {
    if (path === directory) return name === "" ? "." : name;
    if (path.startsWith(`${directory}/`)) return join(name, path.slice(directory.length + 1));
  }
  return path;
}

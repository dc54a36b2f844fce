import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import { octalMode } from "./file-mode.ts";
import { imagePath, mergedPath } from "./image-path.ts";
import { installedItems } from "./program/problems.ts";
import { repeated } from "./repeated.ts";
import { renderEnvironmentFile } from "./services/render-unit.ts";

const file = {
  dst: mkOption({ type: imagePath, example: "/etc/motd", description: "Absolute path in the image." }),
  content: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "Welcome\n",
    description: "The file's content. Exactly one of `content`, `src` and `link` is to be set.",
  }),
  src: mkOption({
    type: types.nullOr(types.raw),
    default: null,
    example: "assets/motd",
    description:
      "What to copy: a derivation, a string that mentions one (`${pkgs.x}/bin/y`), a source, or a local path, absolute or as paths of `workspace` are.",
  }),
  recursive: mkOption({
    type: types.bool,
    default: false,
    description: "Whether `src` is a directory, to be copied with everything in it. Execute bits in it are kept.",
  }),
  link: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "/run/systemd/resolve/stub-resolv.conf",
    description: "Makes a symbolic link with this target.",
  }),
  mode: mkOption({
    type: octalMode,
    default: "0644",
    example: "0640",
    description: "Mode, in octal digits or as a number: 420 is 0644.",
  }),
  owner: mkOption({ type: types.str, default: "root", example: "ada", description: "Name of the owning user." }),
  group: mkOption({ type: types.str, default: "root", example: "video", description: "Name of the owning group." }),
  replace: mkOption({
    type: types.bool,
    default: false,
    description: "Whether the file may replace one that a package ships.",
  }),
  fallback: mkOption({
    type: types.bool,
    default: false,
    description: "Whether the file gives way to another one with the same `dst`.",
  }),
};

const directory = {
  dst: mkOption({ type: imagePath, example: "/var/lib/app", description: "Absolute path in the image." }),
  mode: mkOption({
    type: octalMode,
    default: "0755",
    example: "0640",
    description: "Mode, in octal digits or as a number: 420 is 0644.",
  }),
  owner: mkOption({ type: types.str, default: "root", example: "ada", description: "Name of the owning user." }),
  group: mkOption({ type: types.str, default: "root", example: "video", description: "Name of the owning group." }),
};

const environmentFile = {
  path: mkOption({ type: imagePath, example: "/etc/helios/api.env", description: "Absolute path in the image." }),
  sets: mkOption({
    type: types.listOf(types.str),
    default: [],
    example: ["helios-engine"],
    description: "Names of sets of `stage.env.sets` that the file starts with; later ones win.",
  }),
  vars: mkOption({
    type: types.attrsOf(types.str),
    default: {},
    example: { HELIOS_PORT: "5801" },
    description: "Variables of this file; they win over those of `sets`.",
  }),
  mode: mkOption({
    type: octalMode,
    default: "0644",
    example: "0640",
    description: "Mode, in octal digits or as a number: 420 is 0644.",
  }),
};

const options = {
  stage: {
    files: mkOption({
      type: types.listOf(types.submodule({ options: file })),
      unordered: true,
      default: [],
      apply: (files) => {
        const firm = new Set(files.filter(({ fallback }) => !fallback).map(({ dst }) => mergedPath(dst)));
        return files.filter(({ dst, fallback }) => !fallback || !firm.has(mergedPath(dst)));
      },
      description: "Files, directory trees and links to put into the image, over what packages ship.",
    }),
    replace: mkOption({
      type: types.bool,
      default: false,
      description: "Whether any staged file may replace one that a package ships, as if each said so.",
    }),
    directories: mkOption({
      type: types.listOf(types.submodule({ options: directory })),
      unordered: true,
      default: [],
      description: "Empty directories to make in the image.",
    }),
    env: {
      sets: mkOption({
        type: types.attrsOf(types.attrsOf(types.str)),
        default: {},
        example: { "helios-engine": { HELIOS_SOCKET: "/run/helios/engine.sock" } },
        description: "Named sets of environment variables, for environment files and units.",
      }),
      files: mkOption({
        type: types.listOf(types.submodule({ options: environmentFile })),
        unordered: true,
        default: [],
        description: "Environment files, as `EnvironmentFile=` of systemd reads them.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    stage: typeof options;
  }
}

/** What is laid over the base: files, links, environment files. */
export default defineModule({
  name: "stage",
  options,
  config: {
    stage: {
      files: (config) =>
        config.stage.env.files.map((file) => ({
          dst: file.path,
          mode: file.mode,
          content: environmentContent(file, config.stage.env.sets),
        })),
    },
    tests: {
      boot: (config) =>
        config.stage.env.files.map(
          (file) =>
            ({
              type: "file",
              path: file.path,
              content: environmentContent(file, config.stage.env.sets),
              mode: Number.parseInt(file.mode, 8).toString(8),
            }) as const,
        ),
    },
    assertions: (config, { options }) => [
      ...config.stage.env.files.flatMap(({ path, sets }) =>
        sets.map((name) => ({
          assertion: Object.hasOwn(config.stage.env.sets, name),
          message: `stage.env.files: '${path}' uses the set '${name}', which stage.env.sets does not have. It has: ${Object.keys(config.stage.env.sets).join(", ")}.`,
        })),
      ),
      ...repeated(config.stage.files.map(({ dst }) => mergedPath(dst))).map((dst) => ({
        assertion: false,
        message: `stage.files: '${dst}' has more than one writer: ${writers(options.stage.files.definitionsWithLocations, dst).join(" and ")}. Leave one of them away.`,
      })),
      ...ownerProblems(config, options.stage).map((message) => ({ assertion: false, message })),
      ...config.stage.files.map(({ dst, content, src, link }) => ({
        assertion: [content, src, link].filter((given) => given !== null).length === 1,
        message: `stage.files: '${dst}' needs exactly one of content, src and link.`,
      })),
    ],
  },
});

type Variables = Readonly<Record<string, string>>;

/** What an environment file says: its sets one after the other, then its own variables. */
function environmentContent(
  { sets, vars }: { readonly sets: readonly string[]; readonly vars: Variables },
  all: Readonly<Record<string, Variables>>,
): string {
  return renderEnvironmentFile({ ...Object.assign({}, ...sets.map((name) => all[name] ?? {})), ...vars });
}

/** What modules say of an option, and where. */
type Written = readonly { readonly file: string; readonly value: unknown }[];

/** The modules whose definitions have an entry for a path; with the path, where it is another name of the same file. */
function writers(definitions: Written, path: string): string[] {
  return definitions.flatMap(({ file, value }) =>
    (Array.isArray(value) ? (value as unknown[]) : []).flatMap((entry) => {
      if (typeof entry !== "object" || entry === null || !("dst" in entry) || typeof entry.dst !== "string") return [];
      if (mergedPath(entry.dst) !== path || Reflect.get(entry, "fallback") === true) return [];
      return [entry.dst === path ? file : `${file} (as ${entry.dst})`];
    }),
  );
}

/** Owners that nobody declares. Links have none. */
function ownerProblems(
  config: Config,
  written: Readonly<Record<"files" | "directories", { readonly definitionsWithLocations: Written }>>,
): string[] {
  const { users, groups } = config.users.ids;
  const programs = new Set(installedItems(config).map(({ dest }) => dest));
  return [
    ...config.stage.files.filter(({ link }) => link === null).map((entry) => ({ option: "files" as const, entry })),
    ...config.stage.directories.map((entry) => ({ option: "directories" as const, entry })),
  ].flatMap(({ option, entry: { dst, owner, group } }) => {
    // Only of what is wrong: definitions are looked through one by one.
    const where = (): string => {
      if (option === "files" && programs.has(dst)) return "program.install.items";
      const [file] = writers(written[option].definitionsWithLocations, mergedPath(dst));
      return `stage.${option}${file === undefined ? "" : ` (in ${file})`}`;
    };
    const problem = (kind: "user" | "group", name: string, ids: Readonly<Record<string, number>>): string[] =>
      Object.hasOwn(ids, name)
        ? []
        : [
            `${where()}: '${dst}' is to belong to the ${kind} '${name}', which users.${kind}s does not declare. Declare it, or name another: ${Object.keys(ids).join(", ")}.`,
          ];
    return [...problem("user", owner, users), ...problem("group", group, groups)];
  });
}

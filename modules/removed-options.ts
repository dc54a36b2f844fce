/** Keys that existing trees may have and that have no effect here: setting one is an error that says what to do. */
import { getAttrByPath, mkOption, type Module, types } from "#lib/evaluator/index.ts";

/** What the original accepted and never read, with what to do instead. `*` is any name. */
export const neverReadKeys = {
  "buildroot.kernel": "Set boot.kernel, boot.kernelParams and buildroot.linux.",
  "buildroot.firmware": "Set boot.configTxt.",
  "buildroot.toolchain": "The toolchain is pinned in flake.lock.",
  "buildroot.boot_config": "Set boot.configTxt and boot.kernelParams.",
  "program.profiles.*.linker": "The pinned toolchain brings its linker; give flags in env.RUSTFLAGS.",
  "program.profiles.*.sysroot": "The pinned toolchain brings its sysroot.",
  "stage.services.allowed_prefixes": "stage.files refuses two writers of one path instead.",
} as const;

/** Why one of them is gone. */
export const neverRead = (key: keyof typeof neverReadKeys): string =>
  `The original never read it. ${neverReadKeys[key]}`;

/** By dotted name: why it is gone, and what to do instead. */
const reasons: Readonly<Record<string, string>> = {
  "buildroot.kernel": neverRead("buildroot.kernel"),
  "buildroot.firmware": neverRead("buildroot.firmware"),
  "buildroot.toolchain": neverRead("buildroot.toolchain"),
  "buildroot.boot_config": neverRead("buildroot.boot_config"),
  builder: "A table of an earlier format. Set program and buildroot.",
  cross: "A table of an earlier format. Set program.profiles.",
  diagnostics: "A table of an earlier format. Declare units in services.units.",
  env: "A table of an earlier format. Set stage.env.sets and stage.env.files.",
  frontend: "A table of an earlier format. Add an artifact to program.custom.artifacts.",
  hooks: "A table of an earlier format. Add an artifact to program.custom.artifacts.",
  install: "A table of an earlier format. Set program.install.items.",
  packages: "A table of an earlier format. Set buildroot.starting_point.packages.install.",
  plugins: "A table of an earlier format. Add an artifact of kind cdylib to program.rust.artifacts.",
  record: "A table of an earlier format. What was built is recorded in the image's manifest.",
  sdk: "A table of an earlier format. Set program.environments.",
  sensors: "A table of an earlier format. Declare units in services.units.",
  target: "A table of an earlier format. Set program.profiles.*.target.",
  version: "A table of an earlier format. Set build.version.",
};

/**
 * One module for each key. Unlike with `mkRemovedOptionModule`, the key can be
 * read, as null: whoever prints a whole configuration reads every key.
 */
export const removedOptions: readonly Module[] = Object.entries(reasons).map(([name, reason]): Module => {
  const path = name.split(".");
  const option = mkOption({
    type: types.nullOr(types.anything),
    default: null,
    visible: false,
    description: `Removed. ${reason}`,
  });
  return {
    name: `removed ${name}`,
    options: path.reduceRight<object>((tree, key) => ({ [key]: tree }), option),
    config: {
      assertions: (config: object, { options }: { readonly options: object }) => [
        {
          assertion: getAttrByPath(path, config) === null,
          message: `The option \`${name}\`${definedIn(getAttrByPath(path, options))} no longer has any effect; please remove it. ${reason}`,
        },
      ],
    },
  } as Module;
});

function definedIn(option: unknown): string {
  if (
    typeof option !== "object" ||
    option === null ||
    !("files" in option) ||
    !Array.isArray(option.files) ||
    option.files.length === 0
  )
    return "";
  return ` defined in ${[...new Set(option.files)].join(", ")}`;
}

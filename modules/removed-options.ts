/** Keys that existing trees may have and that have no effect here: setting one is an error that says what to do. */
import { getAttrByPath, mkOption, type Module, types } from "#lib/evaluator/index.ts";

const neverRead = "The original accepted it and never read it.";

/** By dotted name: why it is gone, and what to do instead. */
const reasons: Readonly<Record<string, string>> = {
  "buildroot.kernel": `${neverRead} Set boot.kernel and boot.kernelParams.`,
  "buildroot.firmware": `${neverRead} Set boot.configTxt.`,
  "buildroot.toolchain": `${neverRead} The toolchain is pinned in flake.lock.`,
  "buildroot.boot_config": `${neverRead} Set boot.configTxt and boot.kernelParams.`,
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

/** Keys that existing trees may have and that have no effect here: setting one is an error that says what to do. */
import { mkRemovedOptionModule, type Module } from "#lib/evaluator/index.ts";

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

/** One module for each key. */
export const removedOptions: readonly Module[] = Object.entries(reasons).map(([path, reason]) =>
  mkRemovedOptionModule(path.split("."), reason),
);

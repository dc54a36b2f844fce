import * as Result from "effect/Result";
import { suggest } from "./similar-names.ts";
import { type MissingConfiguration, type NoConfigurations, selectConfiguration } from "./configuration.ts";
import type { FlakeOutputs, FlakeSystem } from "./flake.ts";
import { type Installable, UnknownAttribute, UnsuitableOutput } from "./installable.ts";

/** A system of a flake, and its name there. */
export interface SelectedSystem {
  readonly name: string;
  readonly system: FlakeSystem;
}

/**
 * The system that an installable names: `.#NAME`, `.#systems.NAME`, or the
 * package that is made of the system of the same name, `.#packages.NAME`.
 * Without an attribute path, the first system. Of a file, the system that it describes.
 */
export function selectSystem(
  outputs: FlakeOutputs,
  installable: Installable,
): Result.Result<SelectedSystem, UnknownAttribute | UnsuitableOutput | MissingConfiguration | NoConfigurations> {
  const { text, path } = installable;
  return Result.flatMap(selectConfiguration(outputs, installable), (configuration) => {
    if (configuration === undefined) return selectFlakeSystem(outputs, installable);
    if (path.length === 0) return Result.succeed(configuration);
    return Result.fail(new UnsuitableOutput({ text, path, wanted: "a system", actual: "a part of a system" }));
  });
}

function selectFlakeSystem(
  outputs: FlakeOutputs,
  { text, path }: Installable,
): Result.Result<SelectedSystem, UnknownAttribute | UnsuitableOutput> {
  const known = Object.keys(outputs.systems);
  const [group, ...inGroup] = path;
  const grouped = inGroup.length > 0 && (group === "systems" || group === "packages");
  const [name = known[0] ?? "", ...below] = grouped ? inGroup : path;
  const system = Object.hasOwn(outputs.systems, name) ? outputs.systems[name] : undefined;
  if (system !== undefined && below.length > 0) {
    return Result.fail(new UnsuitableOutput({ text, path, wanted: "a system", actual: "a part of a system" }));
  }
  if (system !== undefined) return Result.succeed({ name, system });
  if (Object.hasOwn(outputs.packages, name)) {
    const actual = "a package that is no system";
    return Result.fail(new UnsuitableOutput({ text, path, wanted: "a system", actual }));
  }
  return Result.fail(
    new UnknownAttribute({ text, found: ["systems"], missing: name, suggestions: suggest(name, known), known }),
  );
}

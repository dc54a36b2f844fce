import * as Result from "effect/Result";
import type { MissingConfiguration, NoConfigurations } from "#lib/flake/configuration.ts";
import type { FlakeOutputs } from "#lib/flake/flake.ts";
import {
  type Installable,
  type InvalidInstallable,
  parseInstallable,
  type UnknownAttribute,
  type UnsuitableOutput,
} from "#lib/flake/installable.ts";
import { selectSystem } from "#lib/flake/select-system.ts";

/**
 * The way to the system that `--system` names, as `resolve` takes it: `NAME`, `.#NAME`, `.#systems.NAME`, or the file
 * that describes it. Without a name, the flake's first system; `asked` is what it is needed for.
 */
export function systemOf(
  outputs: FlakeOutputs,
  system: string | undefined,
  asked: string,
): Result.Result<
  Pick<Installable, "path" | "file">,
  InvalidInstallable | UnknownAttribute | UnsuitableOutput | MissingConfiguration | NoConfigurations
> {
  const installable = system === undefined ? { text: asked, path: [] } : parseInstallable(system);
  if ("_tag" in installable) return Result.fail(installable);
  return Result.map(selectSystem(outputs, installable), ({ name }) =>
    installable.file === undefined ? { path: ["systems", name] } : installable,
  );
}

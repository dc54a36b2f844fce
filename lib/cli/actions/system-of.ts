import * as Result from "effect/Result";
import type { FlakeOutputs } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable, UnknownAttribute } from "#lib/flake/installable.ts";
import { suggest } from "#lib/flake/similar-names.ts";

/** The way to a system: of the flake, or of the file that describes it; `asked` is what it is needed for. */
export function systemOf(
  outputs: FlakeOutputs,
  system: string | undefined,
  asked: string,
): Result.Result<Pick<Installable, "path" | "file">, UnknownAttribute> {
  const known = Object.keys(outputs.systems);
  const name = system ?? known[0] ?? "";
  if (known.includes(name)) return Result.succeed({ path: ["systems", name] });
  const installable = parseInstallable(name);
  if (!("_tag" in installable) && installable.file !== undefined) return Result.succeed(installable);
  const suggestions = suggest(name, known);
  return Result.fail(new UnknownAttribute({ text: asked, found: ["systems"], missing: name, suggestions, known }));
}

import * as Result from "effect/Result";
import { resolve } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import type { BuildRequest } from "#lib/flake/build.ts";
import type { FlakeOutputs } from "#lib/flake/flake.ts";
import type { Installable } from "#lib/flake/installable.ts";
import { selectDerivation } from "#lib/flake/select.ts";

/** Something that was built, or was there. */
export interface Built {
  readonly name: string;
  readonly outputs: ReadonlyMap<string, StorePath>;
}

/** The links to what was built. */
export function resultLinks(
  built: readonly Built[],
  outLink: string,
): readonly { readonly link: string; readonly path: StorePath }[] {
  return built.flatMap(({ outputs }, index) =>
    [...outputs].map(([output, path]) => {
      const suffix = `${index === 0 ? "" : `-${index}`}${output === "out" ? "" : `-${output}`}`;
      return { link: resolve(`${outLink}${suffix}`), path };
    }),
  );
}

/** What is printed of what was built: where it is, a line each, or JSON. */
export function resultText(built: readonly Built[], json: boolean, physical: (path: StorePath) => string): string {
  if (!json) return built.flatMap(({ outputs }) => [...outputs.values()].map((path) => `${physical(path)}\n`)).join("");
  const results = built.map(({ name, outputs }) => ({
    name,
    outputs: Object.fromEntries([...outputs].map(([output, path]) => [output, { path, file: physical(path) }])),
  }));
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

/** The derivations that installables name; without any, and without paths, the first package. */
export function selectAll(
  outputs: FlakeOutputs,
  installables: readonly Installable[],
  paths: readonly DerivationPath[],
) {
  const names = installables.length + paths.length > 0 ? installables : defaultInstallables(outputs);
  return Result.all(names.map((installable) => selectDerivation(outputs, installable))) as Result.Result<
    Derivation[],
    Result.Result.Failure<ReturnType<typeof selectDerivation>>
  >;
}

/** The same, and the files that describe them. */
export function selectRequest(
  outputs: FlakeOutputs,
  installables: readonly Installable[],
  paths: readonly DerivationPath[],
): Result.Result<BuildRequest, Result.Result.Failure<ReturnType<typeof selectAll>>> {
  return Result.map(selectAll(outputs, installables, paths), (derivations) => {
    const files = new Map<Derivation, string>();
    for (const [index, derivation] of derivations.entries()) {
      const file = installables[index]?.file;
      if (file !== undefined) files.set(derivation, file);
    }
    return { derivations, files };
  });
}

/** Without an argument, the first package. */
function defaultInstallables(outputs: FlakeOutputs): readonly Installable[] {
  const [first] = Object.keys(outputs.packages);
  return first === undefined ? [] : [{ text: `.#${first}`, path: ["packages", first] }];
}

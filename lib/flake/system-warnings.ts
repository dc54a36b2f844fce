import type { FlakeOutputs } from "./flake.ts";
import type { Installable } from "./installable.ts";
import { systemConfig } from "./system-config.ts";

/** Which of the flake's systems to warn about: all, or those that installables are about. */
export type WarningScope = "all" | readonly Installable[];

/**
 * What the modules of a flake's systems want to be known and yet does not stop
 * anything. A package counts to the system of its name; without an attribute
 * path, the first package is meant.
 */
export function systemWarnings(outputs: FlakeOutputs, scope: WarningScope): readonly string[] {
  const names = scope === "all" ? undefined : systemNames(outputs, scope);
  return Object.entries(outputs.systems)
    .filter(([name]) => names?.has(name) ?? true)
    .flatMap(([name, system]) => (systemConfig(system).warnings ?? []).map((message) => `${name}: ${message}`));
}

function systemNames(outputs: FlakeOutputs, installables: readonly Installable[]): ReadonlySet<string | undefined> {
  const ofFlake = installables.filter(({ file }) => file === undefined);
  return new Set(
    ofFlake.map(({ path: [first = Object.keys(outputs.packages)[0], second] }) =>
      first === "systems" || first === "packages" ? second : first,
    ),
  );
}

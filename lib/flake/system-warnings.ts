import type { FlakeOutputs } from "./flake.ts";
import type { Installable } from "./installable.ts";
import { systemConfig } from "./system-config.ts";

/** What the modules of a flake's systems want to be known and yet does not stop anything. */
export function warningsOf(systems: FlakeOutputs["systems"]): readonly string[] {
  return Object.entries(systems).flatMap(([name, system]) =>
    (systemConfig(system).warnings ?? []).map((message) => `${name}: ${message}`),
  );
}

/**
 * The same, of the systems that installables are about: a package counts to the
 * system of its name. Warnings of configuration files are told by whoever evaluates them.
 */
export function warningsAbout(outputs: FlakeOutputs, installables: readonly Installable[]): readonly string[] {
  const names = new Set(
    installables
      .filter(({ file }) => file === undefined)
      .flatMap(({ path: [first, second] }) => (first === "systems" || first === "packages" ? [second] : [first])),
  );
  return warningsOf(Object.fromEntries(Object.entries(outputs.systems).filter(([name]) => names.has(name))));
}

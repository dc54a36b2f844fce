import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";

const script = source({ path: join(import.meta.dirname, "unit-check.sh") });

/** Fails when systemd does not accept one of the units: an unknown directive, a program that is not there … */
export function unitCheck(
  tools: Derivation,
  options: { readonly name: string; readonly archive: Derivation; readonly units: readonly string[] },
): Derivation {
  return mkDerivation({
    name: `${options.name}-unit-check`,
    environment: tools,
    script,
    env: { archive: options.archive, units: [...options.units].sort() },
  });
}

import type { AttributeValue } from "#lib/derivations/coercion.ts";
import { type Derivation, derivation } from "#lib/derivations/derivation.ts";
import type { Source } from "#lib/derivations/source.ts";

/** A build step: one shell script, run in the sandbox with one Debian environment as its root. */
export interface BuildStep {
  /** Part of the outputs' store paths. */
  readonly name: string;
  /** The tool root that the script sees as `/usr`, `/bin`, `/etc` …; see `environments.ts`. */
  readonly environment: Derivation;
  /** Text for short scripts; a file of this repository for longer ones. */
  readonly script: string | Source;
  /**
   * Variables of the script. A derivation, output, text or source in a value (or in the script) becomes an input,
   * and stands there as its store path.
   */
  readonly env?: Readonly<Record<string, AttributeValue>>;
  /** Each is a variable that holds the path to create. Default: `out` alone. */
  readonly outputs?: readonly string[];
}

/**
 * A derivation that runs `script` with bash. The script stops at the first
 * command that fails, also inside a pipe, and at a variable that is not set.
 * It starts in an empty directory, `/build`, with no network and a clock
 * variable (`SOURCE_DATE_EPOCH`) of 1.
 */
export function mkDerivation({ name, environment, script, env = {}, outputs }: BuildStep): Derivation {
  const strict = ["-euo", "pipefail"];
  return derivation({
    name,
    builder: "/bin/bash",
    args: typeof script === "string" ? [...strict, "-c", script] : [...strict, script],
    // File system and module tools are in sbin, which the sandbox's default leaves out.
    env: { PATH: "/usr/bin:/usr/sbin", ...env, environment },
    ...(outputs === undefined ? {} : { outputs }),
  });
}

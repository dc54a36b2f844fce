import * as Effect from "effect/Effect";
import { run } from "#lib/platform/processes.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { RegistryUnknown } from "./errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The registry that the host's npm is set up for, without a slash at the end.
 * Pins name packages, not hosts; the variable `npm_config_registry` decides,
 * then npm's own configuration.
 */
export const npmRegistry = (
  environment: Environment = process.env,
): Effect.Effect<string, RegistryUnknown, Processes> =>
  Effect.gen(function* () {
    const said = environment["npm_config_registry"] ?? environment["NPM_CONFIG_REGISTRY"] ?? "";
    if (said !== "") return yield* checked(said);
    const env: Record<string, string> = {};
    for (const name of ["PATH", "HOME", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG"]) {
      const value = environment[name];
      if (value !== undefined) env[name] = value;
    }
    const finished = yield* run({ command: "npm", args: ["config", "get", "registry"], env }).pipe(
      Effect.mapError((cause) => new RegistryUnknown({ reason: cause.message })),
    );
    if (finished.code !== 0)
      return yield* new RegistryUnknown({ reason: `'npm config get registry' failed: ${finished.stderr.trim()}` });
    return yield* checked(finished.stdout.trim());
  });

function checked(registry: string): Effect.Effect<string, RegistryUnknown> {
  if (URL.canParse(registry) && /^https?:$/.test(new URL(registry).protocol))
    return Effect.succeed(registry.replace(/\/+$/, ""));
  return Effect.fail(new RegistryUnknown({ reason: `'${registry}' is not an http URL` }));
}

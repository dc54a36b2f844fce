import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { type KeySyntaxError, parsePublicKey, type PublicKey } from "#lib/store/signature.ts";
import type { SubstitutionFlags } from "../flags.ts";

const words = (flag: string | undefined, variable: string): string[] =>
  (flag ?? process.env[variable] ?? "").split(/\s+/).filter((word) => word !== "");

/** The binary caches that the user named, in a flag or in HELIOS_SUBSTITUTERS. */
export const substituters = (flags: Pick<SubstitutionFlags, "substituters">): string[] =>
  words(flags.substituters, "HELIOS_SUBSTITUTERS");

/** Whose signatures the user trusts, by a flag or HELIOS_TRUSTED_PUBLIC_KEYS. */
export const trustedKeys = (
  flags: Pick<SubstitutionFlags, "trustedPublicKeys">,
): Effect.Effect<PublicKey[], KeySyntaxError> =>
  Effect.try({
    try: () => words(flags.trustedPublicKeys, "HELIOS_TRUSTED_PUBLIC_KEYS").map(parsePublicKey),
    catch: (cause) => cause as KeySyntaxError, // The only thing that it throws.
  });

/** The caches that the user named, and whose word counts. */
export const substitutionOptions = Effect.fnUntraced(function* (flags: SubstitutionFlags) {
  return { caches: substituters(flags), trusted: yield* trustedKeys(flags) };
});

/** Takes what is missing out of the named caches, if there are any. */
export const substituteFirst = Effect.fnUntraced(function* (
  targets: readonly (Derivation | string)[],
  flags: SubstitutionFlags,
) {
  const options = yield* substitutionOptions(flags);
  if (options.caches.length === 0) return;
  const { substitute } = yield* Effect.promise(() => import("#lib/build/substitute.ts"));
  const derivations = targets.filter((target) => typeof target !== "string");
  yield* substitute(derivations, options);
});

import type { Derivation } from "./derivation.ts";
import { intern, makeToken } from "./token.ts";

class FingerprintValue {
  readonly _tag = "Fingerprint";
  readonly derivation: Derivation;
  readonly token: string;

  constructor(derivation: Derivation, token: string) {
    this.derivation = derivation;
    this.token = token;
    Object.freeze(this);
  }
}

/** The hash of everything that a derivation is made from. Made by `fingerprintOf`. */
export type Fingerprint = FingerprintValue;

/**
 * What stands in strings for the hash of everything that a derivation is made
 * from: builder, variables, sources, inputs and theirs. 64 hexadecimal digits in
 * the end. Unlike its output's path, it does not make the derivation an input.
 */
export function fingerprintOf(derivation: Derivation): string {
  const token = makeToken(["fingerprint", derivation.key]);
  return intern(token, () => new FingerprintValue(derivation, token)).token;
}

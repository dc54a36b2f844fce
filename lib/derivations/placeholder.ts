import { encodeBase32 } from "./base32.ts";
import { sha256Bytes } from "./hash.ts";
import { type DerivationPath, derivationName, hashPart, outputPathName } from "./store-path.ts";

/** What stands in a derivation for the path of its own output `output`, as long as that is not known. */
export function outputPlaceholder(output: string): string {
  return `/${digest(`nix-output:${output}`)}`;
}

/** What stands in a derivation for an output of another one, as long as that is not built. */
export function inputPlaceholder(derivation: DerivationPath, output: string): string {
  const name = outputPathName(derivationName(derivation), output);
  return `/${digest(`nix-upstream-output:${hashPart(derivation)}:${name}`)}`;
}

function digest(text: string): string {
  return encodeBase32(sha256Bytes(text));
}

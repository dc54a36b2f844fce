import { encodeBase32 } from "./base32.ts";
import type { DerivationOutput } from "./derivation.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { sha256Bytes } from "./hash.ts";
import { placeholderPattern } from "./resolve.ts";
import type { Source } from "./source.ts";
import type { TextFile } from "./text-file.ts";

/** What a token can stand for. */
export type TokenTarget = DerivationOutput | Fingerprint | TextFile | Source;

/** A value that stands in strings, and in JSON, as its token. */
export class Tokened {
  readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  toString(): string {
    return this.token;
  }

  toJSON(): string {
    return this.token;
  }
}

/**
 * Everything that a token of this process stands for. A token is derived from
 * the content of what it stands for, so equal values have one token, evaluations
 * do not disturb each other, and nothing ever needs to be removed.
 */
const targets = new Map<string, TokenTarget>();

/** The token of a content: `/` and 52 base-32 characters, which stay together in any string. */
export function makeToken(content: readonly unknown[]): string {
  return `/${encodeBase32(sha256Bytes(JSON.stringify(content)))}`;
}

/** Remembers what a token stands for; an equal value that was there before wins. */
export function intern<Target extends TokenTarget>(token: string, create: () => Target): Target {
  const known = targets.get(token);
  // The token is a hash over the kind too, so what it stands for is of the same kind.
  if (known !== undefined) return known as Target;
  const target = create();
  targets.set(token, target);
  return target;
}

/** What the tokens in a text stand for, in order of appearance. */
export function tokenTargets(text: string): TokenTarget[] {
  if (!text.includes("/")) return [];
  const found: TokenTarget[] = [];
  for (const token of text.match(placeholderPattern) ?? []) {
    const target = targets.get(token);
    if (target !== undefined) found.push(target);
  }
  return found;
}

/** Replaces every token in a text; one that `path` does not know stays. */
export function replaceTokens(text: string, path: (target: TokenTarget) => string | undefined): string {
  if (!text.includes("/")) return text;
  return text.replace(placeholderPattern, (token) => {
    const target = targets.get(token);
    return (target === undefined ? undefined : path(target)) ?? token;
  });
}

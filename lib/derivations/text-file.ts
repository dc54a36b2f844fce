import { DerivationAttributeError } from "./errors.ts";
import { nameProblem } from "./store-path.ts";
import { intern, makeToken, Tokened } from "./token.ts";

class TextFileValue extends Tokened {
  readonly _tag = "TextFile";
  readonly name: string;
  /** May hold tokens of sources and other texts. */
  readonly content: string;

  constructor(name: string, content: string, token: string) {
    super(token);
    this.name = name;
    this.content = content;
    Object.freeze(this);
  }
}

/** A text that becomes a file in the store. Made by `textFile`. */
export type TextFile = TextFileValue;

/**
 * A file in the store with the given content (Nix's `toFile`). The content may
 * mention sources and other text files, but no outputs of derivations.
 *
 * @example
 * derivation({ name: "x", builder: "/bin/bash", args: [textFile("build.sh", "echo hi > $out")] })
 * @throws DerivationAttributeError
 */
export function textFile(name: string, content: string): TextFile {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new DerivationAttributeError(name, "name", problem);
  checkText(name, "content", content);
  const token = makeToken(["text", name, content]);
  return intern(token, () => new TextFileValue(name, content, token));
}

/** Refuses what has no UTF-8 form; two such strings would become one. */
export function checkText(derivation: string, attribute: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new DerivationAttributeError(derivation, attribute, "has half a surrogate pair, which UTF-8 cannot express");
  }
}

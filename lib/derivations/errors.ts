/** The ways in which a name, a hash, a path or a derivation can be wrong. Recognised by `_tag`. */
export type DerivationError =
  | HashSyntaxError
  | StorePathError
  | AtermError
  | DerivationAttributeError
  | TextReferenceError
  | MissingSourceError
  | MissingInputError;

/** A hash that is none of base-16, base-32, base-64 and SRI, or of the wrong length. */
export class HashSyntaxError extends Error {
  readonly _tag = "HashSyntaxError";
  readonly text: string;
  readonly problem: string;

  constructor(text: string, problem: string) {
    super(
      `'${abbreviate(text)}' is not a hash: ${problem}. ` +
        "Write it as 'sha256-<base64>', 'sha256:<64 hexadecimal digits>' or 'sha256:<52 base-32 characters>'.",
    );
    this.text = text;
    this.problem = problem;
  }
}

/** A store path, or the name in one, that breaks the rules for names. */
export class StorePathError extends Error {
  readonly _tag = "StorePathError";
  readonly text: string;
  readonly problem: string;

  constructor(text: string, problem: string) {
    super(`'${abbreviate(text)}' ${problem}.`);
    this.text = text;
    this.problem = problem;
  }
}

/** A `.drv` file that cannot be read. `offset` counts characters from the start of the file. */
export class AtermError extends Error {
  readonly _tag = "AtermError";
  readonly derivation: string;
  readonly offset: number;
  readonly problem: string;

  constructor(derivation: string, offset: number, problem: string) {
    super(`derivation '${derivation}.drv' is damaged at character ${offset}: ${problem}.`);
    this.derivation = derivation;
    this.offset = offset;
    this.problem = problem;
  }
}

/** An attribute of `derivation()` or `textFile()` that cannot be serialised. */
export class DerivationAttributeError extends Error {
  readonly _tag = "DerivationAttributeError";
  readonly derivation: string;
  /** Where in the attributes, for example `env.FLAGS[2]`. */
  readonly attribute: string;
  readonly problem: string;

  constructor(derivation: string, attribute: string, problem: string) {
    super(`derivation '${derivation}', ${attribute}: ${problem}.`);
    this.derivation = derivation;
    this.attribute = attribute;
    this.problem = problem;
  }
}

/** A text file that mentions the output of a derivation, which is not known until it is built. */
export class TextReferenceError extends Error {
  readonly _tag = "TextReferenceError";
  readonly text: string;
  readonly derivation: string;

  constructor(text: string, derivation: string) {
    super(
      `the text file '${text}' mentions an output of the derivation '${derivation}', ` +
        "whose path is not known before it is built. Write the file in a derivation instead.",
    );
    this.text = text;
    this.derivation = derivation;
  }
}

/** `instantiate` was not told the store path of a source. */
export class MissingSourceError extends Error {
  readonly _tag = "MissingSourceError";
  readonly path: string;

  constructor(path: string) {
    super(`the source '${path}' has no store path yet. Pass the path of every source of referencedSources(roots).`);
    this.path = path;
  }
}

/** A derivation was resolved without the path of one of its inputs. */
export class MissingInputError extends Error {
  readonly _tag = "MissingInputError";
  readonly derivation: string;
  readonly input: string;
  readonly output: string;

  constructor(derivation: string, input: string, output: string) {
    super(`derivation '${derivation}' cannot be resolved: output '${output}' of '${input}' is not built.`);
    this.derivation = derivation;
    this.input = input;
    this.output = output;
  }
}

/** Names in messages come from files that may be hostile: short, and without control characters. */
function abbreviate(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  const printable = text.replace(/[\u0000-\u001f\u007f]/g, "?");
  return printable.length > 100 ? `${printable.slice(0, 100)}…` : printable;
}

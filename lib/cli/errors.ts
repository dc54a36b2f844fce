import * as Data from "effect/Data";

/** A path that leads to no store path. */
export class NotAStorePath extends Data.TaggedError("NotAStorePath")<{
  readonly text: string;
  readonly store: string;
}> {
  override get message(): string {
    return `'${this.text}' is not, and does not lead to, a path of the store ${this.store}. Give a path like /nix/store/…, a link like ./result, or an installable like '.#helios-cm5'.`;
  }
}

/** No log was kept. */
export class NoLog extends Data.TaggedError("NoLog")<{ readonly text: string }> {
  override get message(): string {
    return `'${this.text}' has no log: it was not built on this machine, or not with this input. 'build' makes one.`;
  }
}

/** `lint --strict` found something. */
export class LintsFound extends Data.TaggedError("LintsFound")<{ readonly count: number }> {
  override get message(): string {
    return `${this.count} ${this.count === 1 ? "finding" : "findings"}. Mend them, or run 'lint' without --strict.`;
  }
}

/** Two builds of the same derivation gave different outputs. */
export class NotReproducible extends Data.TaggedError("NotReproducible")<{
  /** `name.output` of each. */
  readonly outputs: readonly string[];
}> {
  override get message(): string {
    return `two builds gave different results: ${this.outputs.join(", ")}. Both are in the store; compare the files above, and look for times, random numbers, orders of directories and of parallel jobs.`;
  }
}

/** The store has problems that were not mended. */
export class StoreDamaged extends Data.TaggedError("StoreDamaged")<{ readonly problems: number }> {
  override get message(): string {
    return `the store has ${this.problems} problem${this.problems === 1 ? "" : "s"}. Run 'store verify --repair'.`;
  }
}

/** Flags that contradict each other, or an argument to which they do not apply. */
export class UnsuitableFlags extends Data.TaggedError("UnsuitableFlags")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem;
  }
}

/** A shell in a sandbox, or what the user ran in it, ended with a failure. */
export class ShellFailed extends Data.TaggedError("ShellFailed")<{ readonly code: number }> {
  override get message(): string {
    return `the shell ended with exit code ${this.code}.`;
  }
}

/** A name that leads to no option. */
export class UnknownOption extends Data.TaggedError("UnknownOption")<{
  /** What there is; empty for the options of the system as a whole. */
  readonly found: string;
  /** What there is not, below it. */
  readonly missing: string;
  readonly what: "group" | "record" | "list" | "leaf" | "free-form";
  readonly known: readonly string[];
  readonly suggestions: readonly string[];
  /** What names all elements at once. */
  readonly all: string | undefined;
}> {
  override get message(): string {
    const { found, missing, what, known, suggestions, all } = this;
    const hint =
      suggestions.length > 0
        ? ` Did you mean ${suggestions.map((name) => `'${name}'`).join(" or ")}?`
        : known.length > 0
          ? ` It has: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`
          : "";
    const every = all === undefined ? "" : ` '${all}' stands for every one.`;
    switch (what) {
      case "leaf":
        return `${found} has no options below it.`;
      case "group":
        return found === "" ? `there is no option '${missing}'.${hint}` : `${found} has no option '${missing}'.${hint}`;
      case "record":
        return `${found} has no '${missing}'.${hint}${every}`;
      case "list":
        return known.length === 0
          ? `${found} is an empty list.${every}`
          : `${found} is a list of ${known.length}, numbered from 0; it has no '${missing}'.${every}`;
      case "free-form":
        return `${found} is free-form, with no options below it, and '${missing}' is not set there.${hint}`;
    }
  }
}

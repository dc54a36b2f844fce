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

import type { Derivation } from "#lib/derivations/derivation.ts";

/** A step of making a system, under the name by which people know it. Which builds it stands for, the graph decides. */
export interface SystemTask {
  /** Such as `stage.render`. */
  readonly id: string;
  readonly module: string;
  readonly phase: string;
  /** For people. */
  readonly label: string;
  /**
   * What the task gives. What these need counts to the task as well; what several
   * tasks need, to the first of them.
   */
  readonly derivations: readonly Derivation[];
}

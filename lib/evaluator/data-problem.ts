/** One mistake in a data file. */
export interface DataProblem {
  /** The path of the key, list positions included. */
  readonly path: readonly string[];
  readonly problem: string;
  readonly suggestions: readonly string[];
}

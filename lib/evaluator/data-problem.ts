/** One mistake in a data file. */
export interface DataProblem {
  /** The path of the key, list positions included. */
  readonly path: readonly string[];
  readonly problem: string;
  readonly suggestions: readonly string[];
  /** Whether it is the key that nobody knows, rather than its value that is wrong. */
  readonly isUnknown?: boolean;
}

/** A mistake with its place. */
export interface PlacedDataProblem extends DataProblem {
  /** Where that is not the document's own file: documents may be merged from several. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * How files are read that messages and data modules need. The evaluator itself
 * touches no disk: whoever embeds it says how, as `lib/platform/source-files.ts`
 * does. Without that, errors name the file that defines a module but show
 * nothing of it, and data files cannot be imported.
 */

/** Access to the files in which modules are written. */
export interface SourceFiles {
  /** The content of a file; throws if it cannot be read. */
  readonly read: (file: string) => Uint8Array;
  /** The directory that messages show paths relative to. */
  readonly directory: () => string;
}

let given: SourceFiles | undefined;

/** Says how files are read, for all evaluations. */
export function useSourceFiles(files: SourceFiles): void {
  given = files;
}

/** What `useSourceFiles` was given. */
export function sourceFiles(): SourceFiles | undefined {
  return given;
}

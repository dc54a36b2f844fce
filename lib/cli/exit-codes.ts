/** What the process's exit status tells. Documented in docs/commands.md. */
export const exitCodes = {
  success: 0,
  /** A build, or an assertion of a check, failed. */
  failed: 1,
  /** The command line: an unknown command, flag or attribute. */
  usage: 2,
  /** The flake's own code: options, modules, recipes. */
  evaluation: 3,
  /** The lock file, or the resolution of packages. */
  lock: 4,
  /** The network, or what came from it. */
  fetch: 5,
  /** The store or the disk. */
  store: 6,
  /** A defect of this program. */
  bug: 70,
  /** Interrupted by the user. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

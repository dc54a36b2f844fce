/** The `code` of a Node system error ("ENOENT", "ENOSPC" …), or undefined for anything else. */
export function errorCode(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/** What the file system refused at a path, with the remedy for a full disk. */
export function describeFileError(path: string, cause: unknown): string {
  const remedy = errorCode(cause) === "ENOSPC" ? ". Free some disk space and run again." : "";
  return `${path}: ${cause instanceof Error ? cause.message : String(cause)}${remedy}`;
}

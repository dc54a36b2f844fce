/** What something failed with, as a part of a sentence: without its full stop. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
}

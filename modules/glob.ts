/** Whether a name is matched by a shell pattern, as systemd matches names of interfaces. */
export function matchesGlob(name: string, pattern: string): boolean {
  const expression = pattern
    .replaceAll(/[$()+./\\^{|}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
    .replaceAll("[!", "[^");
  return new RegExp(`^(?:${expression})$`).test(name);
}

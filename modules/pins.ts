import { sha256 } from "#lib/derivations/hash.ts";
import type { Config } from "#lib/evaluator/index.ts";

/**
 * What `flake.lock` calls packages: as given, or, for systems whose names need
 * not be unique, by a digest of what is asked for, the same for the same question.
 *
 * @param part what they are for
 * @param asked what they follow from; the order in lists does not matter
 */
export function pinnedAs(config: Config, name: string, part: string, asked: readonly unknown[]): string {
  if (config.build.pinnedBy === "name") return name;
  const sorted = asked.map((each) => (Array.isArray(each) ? [...(each as readonly string[])].sort() : each));
  return `gaia-${part}-${sha256(JSON.stringify(sorted)).hex.slice(0, 12)}`;
}

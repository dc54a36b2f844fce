import type { StorePath } from "#lib/derivations/store-path.ts";
import type { PathInfo } from "../path-info.ts";

/**
 * Paths in groups, each of which refers only to those before it, or to paths that are not given. What refers to
 * itself in a circle, which no store has, is in no group.
 */
export function referenceLevels(infos: ReadonlyMap<StorePath, PathInfo>): readonly (readonly PathInfo[])[] {
  const missing = new Map<StorePath, number>();
  const dependents = new Map<StorePath, PathInfo[]>();
  for (const info of infos.values()) {
    const references = info.references.filter((reference) => reference !== info.path && infos.has(reference));
    missing.set(info.path, references.length);
    for (const reference of references) {
      const known = dependents.get(reference);
      if (known === undefined) dependents.set(reference, [info]);
      else known.push(info);
    }
  }
  const levels: PathInfo[][] = [];
  let level = [...infos.values()].filter((info) => missing.get(info.path) === 0);
  while (level.length > 0) {
    levels.push(level);
    const next: PathInfo[] = [];
    for (const info of level) {
      for (const dependent of dependents.get(info.path) ?? []) {
        const left = (missing.get(dependent.path) ?? 0) - 1;
        missing.set(dependent.path, left);
        if (left === 0) next.push(dependent);
      }
    }
    level = next;
  }
  return levels;
}

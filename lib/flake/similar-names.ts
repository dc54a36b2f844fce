/** At most `limit` known names that are closest to a name that is not known, the closest first. */
export function suggest(name: string, known: Iterable<string>, limit = 3): readonly string[] {
  const furthest = Math.max(1, Math.floor(name.length / 4));
  const close: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    if (candidate === "") continue;
    const distance = looseDistance(name, candidate, furthest);
    if (distance <= furthest) close.push({ candidate, distance });
  }
  return close
    .sort((left, right) => left.distance - right.distance || (left.candidate < right.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** A name that lacks only a version suffix (`libarchive13` for `libarchive13t64`) counts as one edit away. */
function looseDistance(name: string, candidate: string, bound: number): number {
  if (candidate.startsWith(name) && /^(?:t64|[0-9.-]+)$/.test(candidate.slice(name.length))) return 1;
  return editDistance(name, candidate, bound);
}

/** Levenshtein's distance with transpositions; anything above `bound` may come out as `bound + 1`. */
export function editDistance(left: string, right: string, bound: number): number {
  if (Math.abs(left.length - right.length) > bound) return bound + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
      least = Math.min(least, cost);
    }
    if (least > bound) return bound + 1;
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? bound + 1;
}

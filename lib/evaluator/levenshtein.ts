/** Which of the known names is close to one that is not known. */
import { byCodeUnit } from "./records.ts";

/** Number of single-character changes between two names. */
export function levenshtein(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/**
 * At most three names, nearest first. Among a hundred or more only those at
 * distance two or less, since some name is always near.
 */
export function nearest(name: string, known: readonly string[]): readonly string[] {
  const ranked = [...known]
    .sort(byCodeUnit)
    .filter((each) => known.length < 100 || Math.abs(each.length - name.length) <= 2)
    .map((each) => ({ each, distance: levenshtein(name, each) }))
    .filter(({ distance }) => known.length < 100 || distance <= 2);
  return ranked
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ each }) => each);
}

/** Those among the nearest that a slip of the fingers explains: of a short list of words, one is always nearest. */
export function closest(word: string, known: readonly string[]): readonly string[] {
  const furthest = Math.max(1, Math.floor(word.length / 3));
  return nearest(word, known).filter((each) => levenshtein(word, each) <= furthest);
}

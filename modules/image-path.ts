import { types } from "#lib/evaluator/index.ts";

/** An absolute path of a file or directory in the image, which goes nowhere but down. */
export const imagePath = types.strMatching("(?!.*/[.][.]?(/|$))/[^\\n\\0]*[^/\\n\\0]");

/** Where a path of the image leads: `/bin`, `/sbin` and `/lib` are links to the directories of /usr. */
export function mergedPath(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/^\/(bin|sbin|lib)(?=\/)/, "/usr/$1");
}

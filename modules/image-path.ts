import { types } from "#lib/evaluator/index.ts";

/** An absolute path of a file or directory in the image, which goes nowhere but down. */
export const imagePath = types.strMatching("(?!.*/[.][.]?(/|$))/[^\\n\\0]*[^/\\n\\0]");

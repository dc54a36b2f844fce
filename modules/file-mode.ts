import { types } from "#lib/evaluator/index.ts";

/** A mode as octal digits, or as the number that TOML files write: 420 is 0644. */
export const octalMode = types.coercedTo(
  types.ints.between(0, 0o7777),
  (mode) => mode.toString(8).padStart(4, "0"),
  types.strMatching("[0-7]{3,4}"),
);

import { mkOption, types } from "#lib/evaluator/index.ts";

/**
 * A key inside of a record that had no effect in the original, or has none
 * here: setting it is an error that says why. Groups of the whole configuration
 * have `mkRemovedOptionModule` for that.
 */
export const removed = (reason: string) =>
  mkOption({
    type: types.nullOr(types.addCheck(types.anything, () => false, reason)),
    default: null,
    visible: false,
    description: `Removed. ${reason}`,
  });

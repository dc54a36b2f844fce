/** The options that every evaluation has, below `_module`. */
import { mkOption } from "./option.ts";
import { lazyAttrsOf } from "./types/containers.ts";
import { raw } from "./types/opaque.ts";
import { bool } from "./types/scalars.ts";
import { optionType } from "./types/type-values.ts";
import { nullOr } from "./types/unions.ts";

/** Declared in every evaluation, submodules included. */
export const builtInOptions = {
  _module: {
    args: mkOption({
      type: lazyAttrsOf(raw),
      default: {},
      description:
        "Additional arguments of thunks and module functions. They are not available while imports are being found; use specialArgs for that.",
    }),
    check: mkOption({
      type: bool,
      default: true,
      internal: true,
      description: "Whether definitions that no option matches are an error.",
    }),
    freeformType: mkOption({
      type: nullOr(optionType),
      default: null,
      internal: true,
      description: "The type of definitions that no option matches.",
    }),
  },
};

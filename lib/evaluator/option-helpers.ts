/** Declarations that recur. */
import type { Scalar } from "./definition.ts";
import type { Documentation } from "./documentation-text.ts";
import { mkOption, type Option } from "./option.ts";
import { bool } from "./types/scalars.ts";

/** A switch that is off: "Whether to enable NAME." */
export function mkEnableOption(name: Documentation | string): Option<boolean, Scalar<boolean>> {
  const subject = typeof name === "string" ? name : name.text;
  return mkOption({
    type: bool,
    default: false,
    example: true,
    description: `Whether to enable ${subject}.`,
  });
}

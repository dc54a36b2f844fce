/** Declarations that recur. */
import type { Scalar } from "./definition.ts";
import { type Documentation, literalExpression } from "./documentation-text.ts";
import { type OptionPath, showOption } from "./location.ts";
import { mkOption, Option } from "./option.ts";
import { type Package, package as packageType } from "./types/opaque.ts";
import { bool } from "./types/scalars.ts";
import { nullOr } from "./types/unions.ts";

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

/** Details of a package option. */
export interface PackageOptionDetails {
  /** Whether null, no package, is allowed. */
  readonly nullable?: boolean;
  /** The path of the default in the package set; null for no default. */
  readonly default?: string | OptionPath | null;
  /** A path in the package set, or text. */
  readonly example?: string | OptionPath;
  /** Added to the description. */
  readonly extraDescription?: string;
  /** How documentation calls the package set. */
  readonly pkgsText?: string;
}

/** A package of a set: "The NAME package to use." */
export function mkPackageOption(
  packages: object,
  name: string | OptionPath,
  details: PackageOptionDetails & { readonly nullable: true },
): Option<Package | null, Scalar<Package> | Scalar<null>>;
export function mkPackageOption(
  packages: object,
  name: string | OptionPath,
  details?: PackageOptionDetails,
): Option<Package, Scalar<Package>>;
export function mkPackageOption(
  packages: object,
  name: string | OptionPath,
  details: PackageOptionDetails = {},
): Option<unknown, unknown> {
  const { nullable = false, extraDescription = "", pkgsText = "pkgs", example } = details;
  const path = typeof name === "string" ? [name] : name;
  const chosen = details.default === undefined ? path : details.default;
  const defaultPath = typeof chosen === "string" ? [chosen] : chosen;
  const shown = path.at(-1) ?? "";
  const inSet = (each: OptionPath): Documentation => literalExpression(`${pkgsText}.${showOption(each)}`);
  return new Option({
    type: nullable ? nullOr(packageType) : packageType,
    description: `The ${shown} package to use.${extraDescription === "" ? "" : ` ${extraDescription}`}`,
    ...(defaultPath === null
      ? nullable
        ? { default: null }
        : {}
      : { default: () => packageAt(packages, defaultPath, pkgsText), defaultText: inSet(defaultPath) }),
    ...(example === undefined
      ? {}
      : { example: typeof example === "string" ? literalExpression(example) : inSet(example) }),
  });
}

function packageAt(packages: object, path: OptionPath, pkgsText: string): unknown {
  let at: unknown = packages;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !(key in at)) {
      throw new Error(`${showOption(path)} cannot be found in ${pkgsText}`);
    }
    at = Reflect.get(at, key);
  }
  return at;
}

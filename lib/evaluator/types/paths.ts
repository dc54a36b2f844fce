/** File system paths. */
import type { Scalar } from "../definition.ts";
import { simpleType } from "./make.ts";
import type { OptionType } from "./option-type.ts";

const storePath = /^\/nix\/store\/[^./][^/]*/u;

/** Paths with restrictions: absolute or not, in the store or not. */
export function pathWith(
  options: { readonly inStore?: boolean; readonly absolute?: boolean } = {},
): OptionType<string, Scalar<string>> {
  const { inStore, absolute } = options;
  if (inStore === true && absolute === false) {
    throw new TypeError("pathWith: a path in the store is absolute");
  }
  const kind = absolute === undefined ? "" : absolute ? "absolute " : "relative ";
  const where = inStore === undefined ? "" : inStore ? " in the Nix store" : " not in the Nix store";
  return simpleType({
    name: "path",
    description: `${inStore === true ? "" : kind}path${where}`,
    check: (value) =>
      typeof value === "string" &&
      (inStore === undefined || storePath.test(value) === inStore) &&
      (absolute === undefined || value.startsWith("/") === absolute),
    why: (value) =>
      typeof value === "string" && absolute === true && !value.startsWith("/") ? "it does not begin with /" : undefined,
    payload: `${String(inStore)} ${String(absolute)}`,
    schema: () => ({ type: "string", ...(absolute === true ? { pattern: "^/" } : {}) }),
  });
}

/** An absolute path. */
export const path: OptionType<string, Scalar<string>> = pathWith({ absolute: true });
/** A path in the store. */
export const pathInStore: OptionType<string, Scalar<string>> = pathWith({ inStore: true });
/** An absolute path outside of the store. */
export const externalPath: OptionType<string, Scalar<string>> = pathWith({ inStore: false, absolute: true });

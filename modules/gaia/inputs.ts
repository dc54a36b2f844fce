/** Inputs that are given and that nobody declares: Gaia takes them, and guesses their types. */
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import { parseAs } from "../inputs/resolve.ts";
import { type GaiaTree, isTable } from "./tree.ts";

/** With leniency, declares them. Without, the module of the inputs refuses them. */
export function declareGivenInputs(tree: GaiaTree, { set }: GivenInputs): void {
  if (!tree.legacy) return;
  const inputs = tree.table("inputs") ?? {};
  const options = isTable(inputs["options"]) ? inputs["options"] : {};
  const given = { ...tree.table("inputs", "values"), ...set };
  for (const [key, value] of Object.entries(given)) {
    if (Object.hasOwn(options, key)) continue;
    const type = typeof value === "string" ? guess(value) : typeof value === "boolean" ? "bool" : "float";
    options[key] = { type };
    tree.warn(["inputs", "options", key], `is given and not declared; it is taken for one of type ${type}`);
  }
  if (Object.keys(options).length > 0) tree.config["inputs"] = { ...inputs, options };
}

function guess(text: string): "bool" | "int" | "float" | "string" {
  return (["bool", "int", "float"] as const).find((type) => parseAs(type, text) !== undefined) ?? "string";
}

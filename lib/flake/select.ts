import * as Result from "effect/Result";
import { type Derivation, isDerivation } from "#lib/derivations/derivation.ts";
import type { FlakeOutputs } from "./flake.ts";
import { suggest } from "./similar-names.ts";
import { type MissingConfiguration, type NoConfigurations, selectConfiguration } from "./configuration.ts";
import { type Installable, UnknownAttribute, UnsuitableOutput } from "./installable.ts";

/** Where a short attribute path is looked for, in this order, before the outputs themselves. */
const prefixes = [["packages"], ["systems"], ["checks"], []] as const;

/** What an installable names. */
export interface Selected {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Why an installable names nothing. */
export type SelectionError = UnknownAttribute | MissingConfiguration | NoConfigurations;

/**
 * The value that an installable names, and its whole path. Of a file, attributes
 * are those of its system, and without any it is the package.
 */
export function selectAttribute(
  outputs: FlakeOutputs,
  installable: Installable,
): Result.Result<Selected, SelectionError> {
  return Result.flatMap(
    selectConfiguration(outputs, installable),
    (configuration): Result.Result<Selected, SelectionError> => {
      if (configuration === undefined) return selectOutput(outputs, installable);
      if (installable.path.length === 0) return Result.succeed({ path: [], value: configuration.package });
      return descend(configuration.system, [], installable);
    },
  );
}

function selectOutput(outputs: FlakeOutputs, installable: Installable): Result.Result<Selected, UnknownAttribute> {
  const [first] = installable.path;
  if (first === undefined) return Result.succeed({ path: [], value: outputs });
  for (const prefix of prefixes) {
    const root = prefix[0] === undefined ? outputs : outputs[prefix[0]];
    if (Object.hasOwn(root, first)) return descend(root, prefix, installable);
  }
  const known = [...Object.keys(outputs.packages), ...Object.keys(outputs)];
  return Result.fail(
    new UnknownAttribute({
      text: installable.text,
      found: [],
      missing: first,
      suggestions: suggest(first, known),
      known,
    }),
  );
}

/** The derivation that an installable names. */
export function selectDerivation(
  outputs: FlakeOutputs,
  installable: Installable,
): Result.Result<Derivation, SelectionError | UnsuitableOutput> {
  return Result.flatMap(selectAttribute(outputs, installable), ({ path, value }) =>
    isDerivation(value)
      ? Result.succeed(value)
      : Result.fail(
          new UnsuitableOutput({ text: installable.text, path, wanted: "a derivation", actual: describe(value) }),
        ),
  );
}

function descend(
  root: object,
  prefix: readonly string[],
  { text, path }: Installable,
): Result.Result<Selected, UnknownAttribute> {
  let value: unknown = root;
  for (const [index, name] of path.entries()) {
    if (typeof value !== "object" || value === null || !hasAttribute(value, name)) {
      const known = typeof value === "object" && value !== null ? attributeNames(value) : [];
      const found = [...prefix, ...path.slice(0, index)];
      return Result.fail(
        new UnknownAttribute({ text, found, missing: name, suggestions: suggest(name, known), known }),
      );
    }
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return Result.succeed({ path: [...prefix, ...path], value });
}

/** Attributes are an object's own properties and the getters of its class, but no methods. */
function hasAttribute(value: object, name: string): boolean {
  return Object.hasOwn(value, name) || classGetters(value).includes(name);
}

function attributeNames(value: object): readonly string[] {
  const getters = classGetters(value);
  // An object of a class shows what its class offers, not what it is made of.
  return getters.length > 0 ? getters : Object.keys(value);
}

function classGetters(value: object): readonly string[] {
  const getters: string[] = [];
  let prototype: unknown = Object.getPrototypeOf(value);
  while (
    typeof prototype === "object" &&
    prototype !== null &&
    prototype !== Object.prototype &&
    prototype !== Array.prototype
  ) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (get !== undefined) getters.push(name);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return getters;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a set of attributes" : `a ${typeof value}`;
}

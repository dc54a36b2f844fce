/** Modules as values of options. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import type { Location } from "../location.ts";
import { showLocation } from "../location.ts";
import type { Module, ModuleFunction, ModuleReference } from "../module.ts";
import { ModuleSource, withSource } from "../module-source.ts";
import { isRecord } from "../records.ts";
import { mkOptionType } from "./make.ts";
import { type AnyOptionType, mergeOptionTypes, type OptionType } from "./option-type.ts";
import { submoduleWith } from "./submodules.ts";

/**
 * A module that is not evaluated here but imported elsewhere; several
 * definitions become one module that imports them all. A module function is
 * wrapped in `mkModule`, since a bare function is a thunk.
 */
export const deferredModule: OptionType<Module, Scalar<Module | string>> = deferredModuleWith({});

/** A deferred module that always imports `staticModules` as well. */
export function deferredModuleWith(options: {
  readonly staticModules?: readonly ModuleReference[];
}): OptionType<Module, Scalar<Module | string>> {
  const { staticModules = [] } = options;
  return mkOptionType({
    name: "deferredModule",
    description: "module",
    descriptionClass: "noun",
    check: (value) => isRecord(value) || typeof value === "string" || value instanceof WrappedModule,
    merge: (location, definitions) => mergeModules(staticModules, location, definitions),
    emptyValue: { value: Object.freeze({ imports: staticModules }) },
    functor: {
      name: "deferredModule",
      payload: staticModules,
      merge: (other) =>
        deferredModuleWith({ staticModules: [...staticModules, ...(other as readonly ModuleReference[])] }),
    },
    subOptions: (prefix) => submoduleWith({ modules: staticModules }).fields.subOptions?.(prefix) ?? [],
    schema: () => ({ type: "object" }),
  });
}

/** A module function as a value. */
export class WrappedModule {
  readonly module: ModuleFunction;
  constructor(module: ModuleFunction) {
    this.module = module;
  }
}

/** Marks a module function as the value of a `deferredModule` option. */
export function mkModule(module: ModuleFunction): WrappedModule {
  return new WrappedModule(module);
}

function mergeModules(
  staticModules: readonly ModuleReference[],
  location: Location,
  definitions: readonly DefinitionRecord[],
): Module {
  const via = `via option ${showLocation(location)}`;
  return Object.freeze({
    imports: [...staticModules, ...definitions.map((each) => located(each, via))],
  });
}

/** A copy that remembers where it was written and through which option it came. */
function located(definition: DefinitionRecord, via: string): ModuleReference {
  const { value, source } = definition;
  if (typeof value === "string") return value;
  const origin = new ModuleSource(source.name, source.file, source.module, via);
  if (!(value instanceof WrappedModule)) return withSource({ ...(value as Module) }, origin);
  const { module } = value;
  const copy: ModuleFunction = (arguments_) => module(arguments_);
  return withSource(copy, origin);
}

/** The type both types' values have, or undefined. */
export function mergeTypes(a: AnyOptionType, b: AnyOptionType): AnyOptionType | undefined {
  return mergeOptionTypes(a, b);
}

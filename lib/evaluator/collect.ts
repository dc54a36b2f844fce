/**
 * Loading modules: imports breadth-first, each key once, disabled ones left
 * out, then reversed, which is the order in which definitions merge.
 */
import type { ThunkScope } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import type { Module } from "./module.ts";
import { ModuleSource, recordedSource } from "./module-source.ts";
import { PropertyRecord } from "./properties.ts";
import { isRecord } from "./records.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** A module after loading: its parts sorted, its origin known. */
export interface LoadedModule {
  readonly source: ModuleSource;
  readonly scope: ThunkScope;
  readonly key: string;
  readonly options: object | undefined;
  readonly config: unknown;
  readonly freeformType: AnyOptionType | undefined;
}

/** A module in the tree of imports, for tools that show it. */
export interface ModuleGraphNode {
  readonly key: string;
  /** The file, or the name of a module that has none. */
  readonly file: string;
  readonly imports: readonly ModuleGraphNode[];
  /** Whether another module switched it off. */
  readonly disabled: boolean;
}

/** What loading found. */
export interface CollectedModules {
  /** The modules that count, in merge order. */
  readonly modules: readonly LoadedModule[];
  /** All that are imported, as a tree; one imported twice is the same node. */
  readonly graph: () => readonly ModuleGraphNode[];
}

/** How a data file becomes a module; installed by `data-modules.ts`. */
export type DataModuleLoader = (path: string, importer: ModuleSource) => Module;

let loadDataModule: DataModuleLoader | undefined;

/** Installs the loader of TOML and JSON modules. */
export function onDataModule(loader: DataModuleLoader): void {
  loadDataModule = loader;
}

/** What the modules of one evaluation are loaded with. */
export interface LoadContext {
  readonly scope: ThunkScope;
  readonly class: string | undefined;
  /** Whether a module without `options` and `config` is all configuration, even keys that name module parts. */
  readonly shorthandOnlyDefinesConfig?: boolean;
}

/** A reference with the place it was imported from. */
export interface Import {
  readonly reference: unknown;
  readonly importer: ModuleSource;
  /** The key of the importing module and the position there, the default key of an unnamed module. */
  readonly anonymousKey: string;
  /** Overrides where thunks of this module get their arguments. */
  readonly scope?: ThunkScope | undefined;
  readonly shorthand?: boolean;
  readonly source?: ModuleSource;
}

const moduleKeys = new Set([
  "name",
  "file",
  "key",
  "class",
  "imports",
  "disabledModules",
  "options",
  "config",
  "freeformType",
  "meta",
]);

const objectKeys = new WeakMap<object, string>();
let nextObjectKey = 1;

/** The identity of a module: its key, else the object itself. */
function keyOf(reference: object, module: Module): string {
  if (module.key !== undefined) return `key:${String(module.key)}`;
  let key = objectKeys.get(reference);
  if (key === undefined) {
    key = `:object-${nextObjectKey++}`;
    objectKeys.set(reference, key);
  }
  return key;
}

/** Loads the modules of an evaluation. */
export function collectModules(imports: readonly Import[], context: LoadContext): CollectedModules {
  const loaded: { readonly module: LoadedModule; readonly imports: readonly Import[] }[] = [];
  const disabled = new Set<string>();
  const byKey = new Map<string, { readonly module: LoadedModule; readonly imports: readonly Import[] }>();
  const load = (each: Import): string => {
    const { key, produce } = identify(each, context);
    if (!byKey.has(key)) byKey.set(key, produce(disabled));
    return key;
  };
  // Everything reachable is loaded first: a module found late may disable one found early.
  const roots = imports.map(load);
  const children = new Map<string, readonly string[]>();
  const pending = [...new Set(roots)];
  for (const key of pending) {
    if (children.has(key)) continue;
    const entry = byKey.get(key);
    const keys = entry === undefined ? [] : entry.imports.map(load);
    children.set(key, keys);
    for (const child of keys) if (!children.has(child)) pending.push(child);
  }
  const seen = new Set<string>();
  let level: readonly string[] = roots;
  while (level.length > 0) {
    const next: string[] = [];
    for (const key of level) {
      if (seen.has(key) || disabled.has(key)) continue;
      seen.add(key);
      const entry = byKey.get(key);
      if (entry !== undefined) loaded.push(entry);
      for (const child of children.get(key) ?? []) next.push(child);
    }
    level = next;
  }
  const sourceOf = (key: string): ModuleSource | undefined => byKey.get(key)?.module.source;
  return {
    modules: loaded.reverse().map((entry) => entry.module),
    graph: () => graphOf(roots, children, disabled, (key) => sourceOf(key)?.label ?? key),
  };
}

function graphOf(
  roots: readonly string[],
  children: ReadonlyMap<string, readonly string[]>,
  disabled: ReadonlySet<string>,
  fileOf: (key: string) => string,
): readonly ModuleGraphNode[] {
  const nodes = new Map<string, ModuleGraphNode>();
  const nodeOf = (key: string): ModuleGraphNode => {
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const imports: ModuleGraphNode[] = [];
    const node = { key, file: fileOf(key), imports, disabled: disabled.has(key) };
    nodes.set(key, node);
    for (const child of children.get(key) ?? []) imports.push(nodeOf(child));
    return node;
  };
  return roots.map(nodeOf);
}

interface Identified {
  readonly key: string;
  readonly produce: (disabled: Set<string>) => { readonly module: LoadedModule; readonly imports: readonly Import[] };
}

function identify(each: Import, context: LoadContext): Identified {
  const { reference } = each;
  if (typeof reference === "string") {
    const module = dataModule(reference, each.importer);
    const file = module.file ?? reference;
    return {
      key: `file:${file}`,
      produce: (disabled) =>
        unify(module, new ModuleSource(file, file, module, undefined, true), `file:${file}`, each, context, disabled),
    };
  }
  if (typeof reference === "function") {
    const module = callModule(reference, each, context);
    if (!isRecord(module) && !(module instanceof PropertyRecord)) throw notAModule(each, module);
    const explicit = isRecord(module) && (module as Module).key !== undefined;
    const key = explicit ? keyOf(module, module as Module) : each.anonymousKey;
    return {
      key,
      produce: (disabled) => unify(module as Module, sourceFor(module, each), key, each, context, disabled),
    };
  }
  if (reference instanceof PropertyRecord) {
    return { key: each.anonymousKey, produce: () => wholeConfig(reference, each, context) };
  }
  if (!isRecord(reference) || typeof reference["_type"] === "string") throw notAModule(each, reference);
  const key = keyOf(reference, reference as Module);
  return {
    key,
    produce: (disabled) => unify(reference as Module, sourceFor(reference, each), key, each, context, disabled),
  };
}

function callModule(reference: object, each: Import, context: LoadContext): unknown {
  const scope = each.scope ?? context.scope;
  try {
    return (reference as (arguments_: object) => unknown)(scope.arguments);
  } catch (error) {
    const failure = error instanceof EvaluationError ? error.failure : undefined;
    if (failure?.reason !== "structure-depends-on-config" || failure.source !== undefined) throw error;
    throw new EvaluationError({ ...failure, source: sourceFor(reference, each) });
  }
}

function dataModule(path: string, importer: ModuleSource): Module {
  if (loadDataModule === undefined) {
    throw new EvaluationError({
      reason: "bad-import",
      problem: `cannot import ${path}: no loader for data files is installed`,
      source: importer,
    });
  }
  return loadDataModule(path, importer);
}

function sourceFor(module: object, each: Import): ModuleSource {
  const recorded =
    recordedSource(module) ?? (typeof each.reference === "function" ? recordedSource(each.reference) : undefined);
  if (recorded !== undefined) return recorded;
  if (each.source !== undefined && !("file" in module) && !("name" in module)) return each.source;
  const { file, name } = module as Module;
  return new ModuleSource(
    name ?? `${each.importer.label}${each.anonymousKey}`,
    typeof file === "string" ? file : undefined,
    module,
  );
}

function wholeConfig(
  config: unknown,
  each: Import,
  context: LoadContext,
): { readonly module: LoadedModule; readonly imports: readonly Import[] } {
  return {
    module: {
      source: each.source ?? each.importer,
      scope: each.scope ?? context.scope,
      key: each.anonymousKey,
      options: undefined,
      config,
      freeformType: undefined,
    },
    imports: [],
  };
}

function unify(
  module: Module | PropertyRecord,
  source: ModuleSource,
  key: string,
  each: Import,
  context: LoadContext,
  disabled: Set<string>,
): { readonly module: LoadedModule; readonly imports: readonly Import[] } {
  if (module instanceof PropertyRecord) return wholeConfig(module, each, context);
  const scope = each.scope ?? context.scope;
  if (each.shorthand === true) return wholeConfig(module, { ...each, source }, context);
  checkClass(module, source, context);
  const structured = "options" in module || "config" in module;
  const rest: Record<string, unknown> = {};
  const stray: string[] = [];
  for (const name of Object.keys(module)) {
    if (
      name === "options" ||
      name === "config" ||
      name === "imports" ||
      name === "disabledModules" ||
      name === "freeformType"
    )
      continue;
    if (structured) {
      if (!moduleKeys.has(name)) stray.push(name);
    } else if (!moduleKeys.has(name) || name === "meta") {
      rest[name] = Reflect.get(module, name);
    }
  }
  if (stray.length > 0) {
    throw new EvaluationError({
      reason: "bad-module",
      problem: `${stray.map((name) => `\`${name}\``).join(", ")} stand${stray.length === 1 ? "s" : ""} beside \`options\` or \`config\``,
      source,
      remedy: "Once a module has `options` or `config`, all its definitions belong into `config`.",
    });
  }
  for (const [index, item] of listOf(module.disabledModules, "disabledModules", source).entries()) {
    disabled.add(disabledKey(item, source, index));
  }
  const imports = listOf(module.imports, "imports", source).map((reference, index): Import => {
    if (Array.isArray(reference)) {
      throw new EvaluationError({
        reason: "bad-import",
        problem: "an element of imports is itself a list",
        source,
        remedy: "Spread it: imports: [...list].",
      });
    }
    const inner = { reference, importer: source, anonymousKey: `${key}:${index + 1}`, scope: each.scope };
    if (reference === undefined) throw notAModule(inner, reference, ` (element ${index + 1} of imports)`);
    return inner;
  });
  const config = structured ? withMeta(module) : rest;
  return {
    module: { source, scope, key, options: module.options, config, freeformType: module.freeformType },
    imports,
  };
}

function withMeta(module: Module): unknown {
  if (module.meta === undefined) return module.config;
  const meta = { meta: module.meta };
  return module.config === undefined ? meta : new PropertyRecord("merge", [module.config, meta], undefined);
}

function listOf(value: unknown, what: string, source: ModuleSource): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new EvaluationError({ reason: "bad-module", problem: `${what} must be a list`, source });
}

function disabledKey(item: unknown, source: ModuleSource, index: number): string {
  if (typeof item === "string") return item.startsWith("key:") ? item : `file:${dataModulePath(item, source)}`;
  if (typeof item === "object" && item !== null) return keyOf(item, item as Module);
  throw new EvaluationError({
    reason: "bad-module",
    problem: `element ${index + 1} of disabledModules is neither a module nor a path`,
    source,
  });
}

function dataModulePath(path: string, source: ModuleSource): string {
  return dataModule(path, source).file ?? path;
}

function checkClass(module: Module, source: ModuleSource, context: LoadContext): void {
  if (module.class === undefined || context.class === undefined || module.class === context.class) return;
  throw new EvaluationError({
    reason: "bad-import",
    problem: `this module is of class "${module.class}" and cannot be imported where class "${context.class}" is expected`,
    source,
  });
}

function notAModule(each: Import, value: unknown, position = ""): EvaluationError {
  const tag: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "_type") : undefined;
  const what =
    tag === "configuration"
      ? "an evaluated configuration"
      : typeof tag === "string"
        ? `a value of type "${tag}"`
        : Array.isArray(value)
          ? "a list"
          : value === null || value === undefined
            ? String(value)
            : `a ${typeof value}`;
  return new EvaluationError({
    reason: "bad-import",
    problem: `${what} is not a module${position}`,
    source:
      (typeof each.reference === "function" ? recordedSource(each.reference) : undefined) ??
      each.source ??
      each.importer,
    remedy:
      tag === "configuration"
        ? "Import the modules it was made from, not its result."
        : value === undefined && each.reference === undefined
          ? "The usual cause is two files that import each other: one is read before the other has made its module. Leave out one of the two imports, or move what both need into a third file."
          : "Import a module object, a function that returns one, or the path of a TOML or JSON file.",
  });
}

/** The declared options of an evaluation, shared by all evaluations of one submodule type. */
import { builtInOptions } from "./built-in-options.ts";
import type { LoadedModule } from "./collect.ts";
import { EvaluationError } from "./errors.ts";
import type { Location } from "./location.ts";
import { ModuleSource } from "./module-source.ts";
import { isOption, type OptionFields } from "./option.ts";
import { isRecord } from "./records.ts";
import { isOptionType, mergeOptionTypes } from "./types/option-type.ts";

/** One `mkOption` and the module it stands in. */
export interface Declaration {
  readonly fields: OptionFields;
  readonly source: ModuleSource;
}

const none: readonly Declaration[] = [];

/** A place in the tree of declared options: an option or a group of them. */
export class ShapeNode {
  readonly key: string;
  /** The place among its siblings, in the order of declaration. */
  readonly position: number;
  /** Whether an option here or below hands its definitions on to another one. */
  forwards = false;
  children: Map<string, ShapeNode> | undefined = undefined;
  /** The first declaration, kept apart since there is rarely a second. */
  private fields: OptionFields | undefined = undefined;
  private source: ModuleSource | undefined = undefined;
  private further: readonly Declaration[] = none;
  private merged: OptionFields | undefined = undefined;
  private sortedKeys: readonly string[] | undefined = undefined;

  constructor(key: string, position: number) {
    this.key = key;
    this.position = position;
  }

  /** Whether an option stands here. */
  get isOption(): boolean {
    return this.fields !== undefined;
  }

  /** Empty for a group. */
  get declarations(): readonly Declaration[] {
    const { fields, source } = this;
    return fields === undefined || source === undefined ? none : [{ fields, source }, ...this.further];
  }

  /** Whether this is a removed option, which only exists to say so: it can be neither listed nor read. */
  get isRemoved(): boolean {
    const forward = this.fields?.forward;
    return forward !== undefined && forward.to === undefined;
  }

  /** Keys of a group, by code unit. */
  get keys(): readonly string[] {
    // Without a function to compare with, strings are sorted by code unit, and natively.
    return (this.sortedKeys ??= [...(this.children?.keys() ?? [])].sort());
  }

  /** Adds a declaration. */
  declare(fields: OptionFields, source: ModuleSource): void {
    if (this.fields === undefined) {
      this.fields = fields;
      this.source = source;
    } else {
      this.further = [...this.further, { fields, source }];
    }
  }

  /** Puts one declaration in the place of all. */
  redeclare(fields: OptionFields): void {
    this.fields = fields;
    this.further = none;
  }

  /** The option here, all its declarations taken together. */
  option(location: Location): OptionFields {
    if (this.fields === undefined) throw new TypeError("not an option");
    if (this.further.length === 0) return this.fields;
    return (this.merged ??= mergeDeclarations(this.declarations, location));
  }

  /** Whether several modules declare the option. */
  get isDeclaredAgain(): boolean {
    return this.further.length > 0;
  }
}

const builtInSource = new ModuleSource("<built in>");

interface DeclaredTree {
  readonly tree: unknown;
  readonly source: ModuleSource;
}

/** Builds the tree of all options that the modules declare. */
export function shapeOf(modules: readonly LoadedModule[], prefix: Location | undefined): ShapeNode {
  const root = new ShapeNode("", 0);
  const trees: DeclaredTree[] = [{ tree: builtInOptions, source: builtInSource }];
  for (const module of modules) {
    if (module.options !== undefined) trees.push({ tree: module.options, source: module.source });
  }
  declare(root, trees, prefix);
  return root;
}

function declare(node: ShapeNode, trees: readonly DeclaredTree[], location: Location | undefined): void {
  const children = new Map<string, ShapeNode>();
  let hasNested = false;
  let hasDeclaredAgain = false;
  /** What stands below each child, by its position. */
  const below: (DeclaredTree[] | undefined)[] = [];
  // Loops by index, here and wherever every definition passes: before code is optimised, `for … of` allocates at
  // each step.
  for (let n = 0; n < trees.length; n++) {
    const { tree, source } = trees[n] as DeclaredTree;
    if (!isRecord(tree)) throw notAnOption(tree, source, location);
    const keys = Object.keys(tree);
    for (let m = 0; m < keys.length; m++) {
      const key = keys[m] as string;
      const declared: unknown = tree[key];
      let child = children.get(key);
      if (child === undefined) {
        child = new ShapeNode(key, children.size);
        children.set(key, child);
        below.push(undefined);
      }
      if (isOption(declared)) {
        if (child.isOption) hasDeclaredAgain = true;
        child.declare(declared.fields, source);
        if (declared.fields.forward !== undefined) node.forwards = true;
      } else {
        hasNested = true;
        (below[child.position] ??= []).push({ tree: declared, source });
      }
    }
  }
  node.children = children;
  for (const child of hasNested ? children.values() : []) {
    const nested = below[child.position];
    if (nested === undefined) continue;
    const at = { up: location, key: child.key };
    if (child.isOption) declareInSubmodule(child, nested, at);
    else {
      declare(child, nested, at);
      if (child.forwards) node.forwards = true;
    }
  }
  for (const child of hasDeclaredAgain ? children.values() : []) {
    if (child.isDeclaredAgain) child.option({ up: location, key: child.key });
  }
}

/** Options declared below an option become a further module of its submodule type. */
function declareInSubmodule(node: ShapeNode, nested: readonly DeclaredTree[], location: Location): void {
  for (const { tree, source } of nested) {
    if (!isRecord(tree)) throw notAnOption(tree, source, location);
    const fields = node.option(location);
    const { subModules, substSubModules } = fields.type.fields;
    if (subModules === undefined || substSubModules === undefined) {
      throw new EvaluationError({
        reason: "bad-declaration",
        location,
        problem: `its type ${fields.type.description} has no room for the options ${Object.keys(tree)
          .map((key) => `\`${key}\``)
          .join(", ")} that ${source.label} declares below it`,
        declarations: node.declarations.map((each) => each.source),
      });
    }
    const options = { name: source.name, ...(source.file === undefined ? {} : { file: source.file }), options: tree };
    node.redeclare({ ...fields, type: substSubModules([...subModules, options]) });
  }
}

function isConfiguration(value: unknown): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, "_type") === "configuration";
}

function notAnOption(value: unknown, source: ModuleSource, location: Location | undefined): EvaluationError {
  const what = isOptionType(value)
    ? "a bare type"
    : isConfiguration(value)
      ? "an evaluated configuration"
      : Array.isArray(value)
        ? "a list"
        : value === null
          ? "null"
          : `a ${typeof value}`;
  return new EvaluationError({
    reason: "bad-declaration",
    location,
    problem: `expected an option, found ${what}`,
    declarations: [source],
    remedy: isOptionType(value)
      ? "Wrap the type: mkOption({ type: … })."
      : "Options are made with mkOption; values belong into config.",
  });
}

/** Fields that only one of several declarations may set. */
const exclusive = [
  "default",
  "defaultText",
  "example",
  "description",
  "apply",
  "readOnly",
  "internal",
  "visible",
] as const;

function mergeDeclarations(declarations: readonly Declaration[], location: Location): OptionFields {
  let [merged] = declarations;
  if (merged === undefined) throw new TypeError("no declarations");
  for (const next of declarations.slice(1)) {
    const clash = exclusive.find(
      (field) => merged?.fields[field] !== undefined && next.fields[field] !== undefined && field !== "description",
    );
    const type = mergeOptionTypes(merged.fields.type, next.fields.type);
    if (clash !== undefined || type === undefined) {
      throw new EvaluationError({
        reason: "bad-declaration",
        location,
        problem:
          clash === undefined
            ? `declared twice with types that do not combine (${merged.fields.type.description}; ${next.fields.type.description})`
            : `declared twice, and both declarations have a ${clash}`,
        declarations: declarations.map((each) => each.source),
      });
    }
    merged = { fields: { ...next.fields, ...merged.fields, type }, source: merged.source };
  }
  return merged.fields;
}

/** The declared options of an evaluation, shared by all evaluations of one submodule type. */
import { builtInOptions } from "./built-in-options.ts";
import type { LoadedModule } from "./collect.ts";
import { EvaluationError } from "./errors.ts";
import type { Location } from "./location.ts";
import { ModuleSource } from "./module-source.ts";
import { isOption, type Option, type OptionFields } from "./option.ts";
import { isRecord } from "./records.ts";
import { isOptionType, mergeOptionTypes } from "./types/option-type.ts";

/** One `mkOption` and the module it stands in. */
export interface Declaration {
  readonly fields: OptionFields;
  readonly source: ModuleSource;
}

const none: readonly Declaration[] = [];
const noPositions: ReadonlyMap<string, number> = new Map();

/**
 * What a group declares, each at the position of its name: names are needed to tell unknown options, all else only
 * for options that somebody reads. So a name costs a number, and its node is made when it is asked for.
 */
class Members {
  readonly positions = new Map<string, number>();
  /** An option as it is declared, until its node is made; nodes of groups are there from the beginning. */
  readonly entries: (Option<unknown, unknown> | ShapeNode)[] = [];
  readonly sources: ModuleSource[] = [];
  /** Whether an option here or below hands its definitions on to another one. */
  forwards = false;
  hasGroups = false;
  sortedKeys: readonly string[] | undefined = undefined;

  /** The node of a member. */
  node(key: string, position: number): ShapeNode {
    const entry = this.entries[position] as Option<unknown, unknown> | ShapeNode;
    if (!isOption(entry)) return entry;
    const node = new ShapeNode(key, entry.fields, this.sources[position]);
    this.entries[position] = node;
    return node;
  }
}

/** A place in the tree of declared options: an option or a group of them. */
export class ShapeNode {
  readonly key: string;
  private members: Members | undefined;
  /** The first declaration, kept apart since there is rarely a second. */
  private fields: OptionFields | undefined;
  private source: ModuleSource | undefined;
  private further: readonly Declaration[];
  private merged: OptionFields | undefined;

  constructor(key: string, fields?: OptionFields, source?: ModuleSource) {
    this.key = key;
    this.members = undefined;
    this.fields = fields;
    this.source = source;
    this.further = none;
    this.merged = undefined;
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
    return forward !== undefined && forward.to === undefined && forward.keeps !== true;
  }

  /** How many members a group has. */
  get size(): number {
    return this.positions.size;
  }

  /** Where each member of a group has its place. */
  get positions(): ReadonlyMap<string, number> {
    return this.members === undefined ? noPositions : this.members.positions;
  }

  /** Whether an option here or below hands its definitions on to another one. */
  get forwards(): boolean {
    return this.members?.forwards === true;
  }

  /** Whether there are groups among the members. */
  get hasGroups(): boolean {
    return this.members?.hasGroups === true;
  }

  /** Keys of a group, by code unit. */
  get keys(): readonly string[] {
    // Without a function to compare with, strings are sorted by code unit, and natively.
    return this.members === undefined ? [] : (this.members.sortedKeys ??= [...this.members.positions.keys()].sort());
  }

  /** Whether a group has a member of this name. */
  has(key: string): boolean {
    return this.positions.has(key);
  }

  /** The member at a position, if it is a group. */
  groupAt(position: number): ShapeNode | undefined {
    const entry = this.members?.entries[position];
    return entry instanceof ShapeNode && !entry.isOption ? entry : undefined;
  }

  /** A member of a group. */
  child(key: string): ShapeNode | undefined {
    const position = this.positions.get(key);
    return position === undefined ? undefined : this.memberAt(key, position);
  }

  /** The member of this name at a position that is known. */
  memberAt(key: string, position: number): ShapeNode {
    return this.gather().node(key, position);
  }

  /** Makes this a group. */
  gather(): Members {
    return (this.members ??= new Members());
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
}

const builtInSource = new ModuleSource("<built in>");

/** Trees of declarations for one place; the second list tells where each of the first stands. */
class DeclaredTrees {
  readonly trees: unknown[] = [];
  readonly sources: ModuleSource[] = [];

  add(tree: unknown, source: ModuleSource): void {
    this.trees.push(tree);
    this.sources.push(source);
  }
}

/** Builds the tree of all options that the modules declare. */
export function shapeOf(modules: readonly LoadedModule[], prefix: Location | undefined): ShapeNode {
  const root = new ShapeNode("");
  const declared = new DeclaredTrees();
  declared.add(builtInOptions, builtInSource);
  for (const module of modules) if (module.options !== undefined) declared.add(module.options, module.source);
  declare(root, declared, prefix);
  return root;
}

function declare(node: ShapeNode, { trees, sources }: DeclaredTrees, location: Location | undefined): void {
  const members = node.gather();
  const { positions, entries } = members;
  /** What stands below each member, by its position. */
  const below: (DeclaredTrees | undefined)[] = [];
  let again: Set<ShapeNode> | undefined;
  // Loops by index, here and wherever every definition passes: before code is optimised, `for … of` allocates at
  // each step.
  for (let n = 0; n < trees.length; n++) {
    const tree = trees[n];
    const source = sources[n] as ModuleSource;
    if (!isRecord(tree)) throw notAnOption(tree, source, location);
    const keys = Object.keys(tree);
    for (let m = 0; m < keys.length; m++) {
      const key = keys[m] as string;
      const declared: unknown = tree[key];
      const position = positions.get(key);
      if (!isOption(declared)) {
        if (position === undefined) {
          positions.set(key, entries.length);
          entries.push(new ShapeNode(key));
          members.sources.push(source);
        }
        (below[position ?? entries.length - 1] ??= new DeclaredTrees()).add(declared, source);
        continue;
      }
      if (declared.fields.forward !== undefined) members.forwards = true;
      if (position === undefined) {
        positions.set(key, entries.length);
        entries.push(declared);
        members.sources.push(source);
        continue;
      }
      const child = members.node(key, position);
      if (child.isOption) (again ??= new Set()).add(child);
      child.declare(declared.fields, source);
    }
  }
  if (below.length > 0) declareBelow(members, below, location);
  if (again !== undefined) for (const child of again) child.option({ up: location, key: child.key });
}

function declareBelow(
  members: Members,
  below: readonly (DeclaredTrees | undefined)[],
  location: Location | undefined,
): void {
  for (const [key, position] of members.positions) {
    const nested = below[position];
    if (nested === undefined) continue;
    const child = members.node(key, position);
    const at = { up: location, key };
    if (child.isOption) declareInSubmodule(child, nested, at);
    else {
      members.hasGroups = true;
      declare(child, nested, at);
      if (child.forwards) members.forwards = true;
    }
  }
}

/** Options declared below an option become a further module of its submodule type. */
function declareInSubmodule(node: ShapeNode, { trees, sources }: DeclaredTrees, location: Location): void {
  for (const [n, tree] of trees.entries()) {
    const source = sources[n] as ModuleSource;
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

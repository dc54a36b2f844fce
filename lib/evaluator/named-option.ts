/** What a name of an option leads to: through groups, submodules, records and lists. */
import type { DefinitionRecord } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import { EvaluatedOption, OptionsRecord } from "./evaluated-option.ts";
import { type Location, locationOf, type OptionPath } from "./location.ts";
import { discharge } from "./merge.ts";
import type { ModuleSource, Place } from "./module-source.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import type { OptionFields } from "./option.ts";
import { locate } from "./places.ts";
import { allOf, type DefinitionProvenance, provenanceOf } from "./provenance.ts";
import { asRecordSource, isRecord, recordSourceOf } from "./records.ts";
import type { ShapeNode } from "./shape.ts";
import { AttributeRecord } from "./types/containers.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** An option, or an element of one. */
export interface NamedOption {
  readonly kind: "option";
  /** The path from the root, with `*` and `<name>` where it is about all elements. */
  readonly path: OptionPath;
  /** The types that a value may have; none where anything can be set. */
  readonly types: readonly AnyOptionType[];
  /** The declaration: of the option, or of the one that this is an element of. */
  readonly option: Declared | undefined;
  /** Whether this is something inside an option's value, with no declaration of its own. */
  readonly isElement: boolean;
  /** Its value and who set it; absent where it is about all elements. */
  readonly state:
    | {
        readonly value: unknown;
        readonly isDefined: boolean;
        readonly provenance: readonly DefinitionProvenance[];
        readonly reads: readonly OptionPath[];
      }
    | undefined;
}

/** A declared option. */
interface Declared {
  readonly path: OptionPath;
  readonly fields: OptionFields;
  readonly declarations: readonly { readonly source: ModuleSource; readonly place: Place | undefined }[];
}

/** Where a name leads no further. */
export interface MissingOption {
  readonly kind: "missing";
  /** What there is. */
  readonly found: OptionPath;
  /** What there is not, below it. */
  readonly key: string;
  /** What stands at `found`: a leaf has nothing below it, and of what is free-form, only what is set is there. */
  readonly what: "group" | "record" | "list" | "leaf" | "free-form";
  /** What there is below it; of a list, the numbers of its elements. */
  readonly known: readonly string[];
  /** What stands for any element in the names of options. */
  readonly placeholder: string | undefined;
}

/** The names of a group. */
interface NamedGroup {
  readonly kind: "group";
  readonly keys: readonly string[];
}

/** Where a walk along a name stands. */
type Spot = { readonly path: OptionPath; readonly option: Declared | undefined } & (
  | { readonly at: "group"; readonly node: GroupNode }
  | { readonly at: "option"; readonly cell: OptionCell; readonly option: Declared }
  | ({ readonly at: "value" } & Element)
  /** Without values: a group of a submodule's options. */
  | { readonly at: "shapes"; readonly shapes: readonly ShapeNode[] }
  /** Without values: an option, or an element of it. */
  | { readonly at: "types"; readonly types: readonly AnyOptionType[]; readonly isElement: boolean }
);

/** Something inside the value of an option. */
interface Element {
  readonly value: unknown;
  readonly types: readonly AnyOptionType[];
  readonly location: Location;
  readonly definitions: readonly DefinitionRecord[];
}

/**
 * What stands at a path of an evaluation's `options`. Names of elements lead to values; `*`, `<name>` and the like
 * stand for any element, and lead to what is declared for all.
 */
export function findOption(options: object, path: OptionPath): NamedOption | NamedGroup | MissingOption {
  const source = recordSourceOf(options);
  if (!(source instanceof OptionsRecord)) throw new TypeError("not the options of an evaluation");
  let spot: Spot = { at: "group", node: source.group, path: [], option: undefined };
  for (const key of path) {
    const next: Spot | MissingOption = below(spot, key);
    if ("kind" in next) return next;
    spot = next;
  }
  return describe(spot);
}

function describe(spot: Spot): NamedOption | NamedGroup {
  const { path, option } = spot;
  switch (spot.at) {
    case "group":
      return { kind: "group", keys: spot.node.keyList() };
    case "shapes":
      return { kind: "group", keys: keysOf(spot.shapes) };
    case "option":
      return { kind: "option", path, option, ...describeCell(spot.cell) };
    case "types": {
      const shapes = shapesOf(spot.types, path);
      if (spot.isElement && shapes.length > 0) return { kind: "group", keys: keysOf(shapes) };
      return { kind: "option", path, types: spot.types, option, isElement: spot.isElement, state: undefined };
    }
    case "value": {
      const { value, types, definitions, location } = spot;
      const provenance = provenanceOf(allOf(definitions, location), location);
      const state = { value, isDefined: true, provenance, reads: [] };
      return { kind: "option", path, types, option, isElement: true, state };
    }
  }
}

function describeCell(cell: OptionCell): Pick<NamedOption, "types" | "isElement" | "state"> {
  const option = new EvaluatedOption(cell);
  const { isDefined, provenance, reads } = option;
  const value = isDefined ? option.value : undefined;
  return { types: [option.type], isElement: false, state: { value, isDefined, provenance, reads } };
}

function below(spot: Spot, key: string): Spot | MissingOption {
  switch (spot.at) {
    case "group":
      return belowGroup(spot.node, spot.path, spot.option, key);
    case "shapes":
      return belowShapes(spot.shapes, spot, key) ?? missing(spot, key, "group", keysOf(spot.shapes));
    case "types":
      return belowTypes(spot.types, spot, key);
    case "option": {
      const { type } = spot.cell.fields;
      if (isPlaceholder(key)) return belowTypes([type], spot, key);
      const merged = mergedOf(spot.cell);
      if (merged === undefined || merged === null) return belowTypes([type], spot, key);
      const definitions = spot.cell.allDefinitions(spot.cell.fields);
      return belowValue({ value: merged, types: [type], location: spot.cell, definitions }, spot, key);
    }
    case "value":
      return belowValue(spot, spot, key);
  }
}

/** The merged value; undefined where nothing defines the option. */
function mergedOf(cell: OptionCell): unknown {
  try {
    return cell.merged;
  } catch (error) {
    if (error instanceof EvaluationError && error.failure.reason === "undefined-option") return undefined;
    throw error;
  }
}

type Above = Pick<Spot, "path" | "option">;

function belowGroup(
  node: GroupNode,
  path: OptionPath,
  option: Declared | undefined,
  key: string,
): Spot | MissingOption {
  const child = key === "_module" ? undefined : node.child(key);
  const at = [...path, key];
  if (child instanceof OptionCell) {
    const { declarations } = child.shape;
    return { at: "option", cell: child, path: at, option: declared(at, child.fields, declarations, child) };
  }
  if (child !== undefined) return { at: "group", node: child, path: at, option };
  const { freeformType } = node.evaluation;
  const open = node.evaluation.freeform(node.location);
  if (open !== undefined && freeformType !== undefined && (open.hasKey(key) || isPlaceholder(key))) {
    const location = node.location ?? { up: undefined, key: "<free-form>" };
    const definitions = node.evaluation.unmatched
      .filter((each) => each.location.up === node.location)
      .map((each) => each.definition.inside({ [each.location.key]: each.definition.value }));
    return belowValue({ value: open.record, types: [freeformType], location, definitions }, { path, option }, key);
  }
  return missing({ path, option }, key, "group", node.keyList());
}

function belowValue(element: Element, above: Above, key: string): Spot | MissingOption {
  const { value, types, location } = element;
  const source = recordSourceOf(value);
  if (source instanceof GroupNode) return belowGroup(source, above.path, above.option, key);
  const path = [...above.path, key];
  const { option } = above;
  const record = asRecordSource(value);
  if (source instanceof AttributeRecord) {
    const cell = source.cell(key);
    if (cell !== undefined) {
      const inner = { value: cell.force(), types: [cell.type], location: cell, definitions: cell.definitions };
      return spotOf(inner, { path, option });
    }
  } else if (record?.hasKey(key) === true) {
    const definitions = discharge(element.definitions, location).flatMap((each) =>
      isRecord(each.value) && Object.hasOwn(each.value, key) ? [each.element(each.value[key])] : [],
    );
    const inner = { value: record.readKey(key), types: elementTypes(types), location: { up: location, key } };
    return spotOf({ ...inner, definitions }, { path, option });
  }
  if (Array.isArray(value) && /^\d+$/u.test(key) && Number(key) < value.length) {
    const entry = entriesOf(element, value.length)?.[Number(key)];
    const { definitions = element.definitions, at = location } = entry ?? {};
    const inner = { value: value[Number(key)] as unknown, types: elementTypes(types), location: at, definitions };
    return spotOf(inner, { path, option });
  }
  if (value === null || isPlaceholder(key)) return belowTypes(types, above, key);
  if (Array.isArray(value)) return missing(above, key, "list", Object.keys(value), types);
  if (record === undefined) return missing(above, key, "leaf", []);
  return missing(above, key, elementTypes(types).length > 0 ? "record" : "free-form", record.keyList(), types);
}

function spotOf(element: Element, above: Above): Spot {
  const source = recordSourceOf(element.value);
  return source instanceof GroupNode ? { at: "group", node: source, ...above } : { at: "value", ...element, ...above };
}

/** The definition of each element of a list, elements that nothing defines left out as merging does. */
function entriesOf(list: Element, length: number) {
  const entries = discharge(list.definitions, list.location).flatMap((definition, n) =>
    (Array.isArray(definition.value) ? (definition.value as readonly unknown[]) : []).flatMap((value, m) => {
      const at: Location = { up: list.location, key: `[definition ${n + 1}-entry ${m + 1}]` };
      const definitions = discharge([definition.element(value)], at);
      return definitions.length === 0 ? [] : [{ at, definitions }];
    }),
  );
  // A list that is made of something else has no entries of its own to tell of.
  return entries.length === length ? entries : undefined;
}

function belowTypes(types: readonly AnyOptionType[], above: Above, key: string): Spot | MissingOption {
  const shapes = shapesOf(types, above.path);
  const inner = belowShapes(shapes, above, key);
  if (inner !== undefined) return inner;
  const elements = types.flatMap((type) => type.fields.elements ?? []);
  const [first] = elements;
  if (first !== undefined) {
    const path = [...above.path, isPlaceholder(key) ? first.key : key];
    return { at: "types", types: elements.map(({ type }) => type), isElement: true, path, option: above.option };
  }
  if (shapes.length > 0) return missing(above, key, "group", keysOf(shapes));
  return missing(above, key, types.some(isFree) ? "free-form" : "leaf", []);
}

function belowShapes(shapes: readonly ShapeNode[], above: Above, key: string): Spot | undefined {
  const path = [...above.path, key];
  const found = key === "_module" ? [] : shapes.flatMap((shape) => shape.child(key) ?? []);
  const option = found.find((each) => each.isOption);
  if (option === undefined) {
    return found.length === 0 ? undefined : { at: "shapes", shapes: found, path, option: above.option };
  }
  const location = locationOf(path) as Location;
  const fields = option.option(location);
  const described = declared(path, fields, option.declarations, location);
  return { at: "types", types: [fields.type], isElement: false, path, option: described };
}

function declared(
  path: OptionPath,
  fields: OptionFields,
  declarations: readonly { readonly source: ModuleSource }[],
  location: Location,
): Declared {
  return {
    path,
    fields,
    declarations: declarations.map(({ source }) => ({ source, place: locate(source, "options", location) })),
  };
}

function elementTypes(types: readonly AnyOptionType[]): readonly AnyOptionType[] {
  return types.flatMap((type) => (type.fields.elements ?? []).map((each) => each.type));
}

/** The options right below a value of one of the types, not those of its elements. */
function shapesOf(types: readonly AnyOptionType[], path: OptionPath): readonly ShapeNode[] {
  return types
    .flatMap((type) => type.fields.subOptions?.(path) ?? [])
    .filter(({ prefix }) => prefix.length === path.length)
    .map(({ shape }) => shape);
}

function keysOf(shapes: readonly ShapeNode[]): readonly string[] {
  return [...new Set(shapes.flatMap((shape) => shape.keys))].filter((key) => key !== "_module").sort();
}

/** Whether a value of the type may hold anything. */
function isFree(type: AnyOptionType): boolean {
  return ["attrs", "anything", "raw", "unspecified"].includes(type.name);
}

/** Whether a component of a name stands for all elements, as in the reference: `*`, `<name>`. */
function isPlaceholder(key: string): boolean {
  return key === "*" || /^<.+>$/u.test(key);
}

function missing(
  above: Above,
  key: string,
  what: MissingOption["what"],
  known: readonly string[],
  types: readonly AnyOptionType[] = [],
): MissingOption {
  const placeholder = types.flatMap((type) => type.fields.elements ?? [])[0]?.key;
  return { kind: "missing", found: above.path, key, what, known, placeholder };
}
